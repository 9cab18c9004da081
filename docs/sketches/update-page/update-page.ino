// A web page that takes updates, and one that says what runs, for an ESP8266, an ESP32 or a Pico W.
// Home Assistant: Add integration → ESP OTA → By its update page, then Configure → Where the version can be read:
// http://{host}/esp_ota and the value "version".
#if defined(ARDUINO_ARCH_ESP8266)
#include <ESP8266HTTPUpdateServer.h>
#include <ESP8266WiFi.h>
ESP8266WebServer server(80);
ESP8266HTTPUpdateServer page;
#else
#include <HTTPUpdateServer.h>
#include <WiFi.h>
WebServer server(80);
HTTPUpdateServer page;
#endif

#define FW_NAME "garden-valve"
#define FW_VERSION "1.1.0"
const char esp_ota_marker[] __attribute__((used)) = "ESP_OTA_FW:" FW_NAME ":" FW_VERSION ";";

void setup() {
  Serial.begin(115200);
  Serial.println(esp_ota_marker);
  WiFi.mode(WIFI_STA);
  WiFi.begin("your network", "its password");

  page.setup(&server, "/update", "admin", "a long password");
  server.on("/esp_ota", [] {
    String says = "{\"firmware\": \"" FW_NAME "\", \"version\": \"" FW_VERSION "\", \"mac\": \"";
    server.send(200, "application/json", says + WiFi.macAddress() + "\"}");
  });
  server.begin();
}

void loop() { server.handleClient(); }
