// A module that asks for updates, and may sleep in between, for an ESP8266, an ESP32 or a Pico W.
// Home Assistant: Add integration → ESP OTA → It asks for updates shows the address. It holds a secret.
#if defined(ARDUINO_ARCH_ESP8266)
#include <ESP8266WiFi.h>
#include <ESP8266httpUpdate.h>
#define updater ESPhttpUpdate
#else
#include <HTTPUpdate.h>
#include <WiFi.h>
#define updater httpUpdate
#endif

#define FW_NAME "garden-valve"
#define FW_VERSION "1.1.0"
const char esp_ota_marker[] __attribute__((used)) = "ESP_OTA_FW:" FW_NAME ":" FW_VERSION ";";
const char *ADDRESS = "http://192.168.1.10:8123/api/esp_ota/pull/the-secret";
const unsigned long EVERY = 300000;  // milliseconds

void setup() {
  Serial.begin(115200);
  Serial.println(esp_ota_marker);
  WiFi.mode(WIFI_STA);
  WiFi.begin("your network", "its password");
}

void loop() {
  static unsigned long asked = 0 - EVERY;  // at once after a start: that is the proof after an update
  if (WiFi.status() == WL_CONNECTED && millis() - asked >= EVERY) {
    WiFiClient client;
    updater.update(client, ADDRESS, FW_VERSION);  // restarts by itself after an update
    asked = millis();
  }
}
