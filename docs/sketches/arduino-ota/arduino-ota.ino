// ArduinoOTA with everything that ESP OTA can use, for an ESP8266 or an ESP32.
#include <ArduinoOTA.h>
#if defined(ARDUINO_ARCH_ESP8266)
#include <ESP8266WiFi.h>
#include <ESP8266mDNS.h>
#else
#include <ESPmDNS.h>
#include <WiFi.h>
#endif

#define FW_NAME "garden-valve"
#define FW_VERSION "1.1.0"
// The marker: by this text the firmware library knows what a .bin is.
const char esp_ota_marker[] __attribute__((used)) = "ESP_OTA_FW:" FW_NAME ":" FW_VERSION ";";

const int VALVE = 5;

// The TXT records: by them the update card knows what runs, and an update is proven.
void txt(const char *key, const String &value) {
  MDNS.addServiceTxt("arduino", "tcp", key, value.c_str());
}

void setup() {
  pinMode(VALVE, OUTPUT);  // first of all: low on all three chips, so the valve stays closed
  digitalWrite(VALVE, LOW);
  Serial.begin(115200);
  Serial.println(esp_ota_marker);  // what is used nowhere is not linked

  WiFi.mode(WIFI_STA);
  WiFi.begin("your network", "its password");
  while (WiFi.waitForConnectResult() != WL_CONNECTED) delay(1000);

  ArduinoOTA.setHostname("garden-valve");  // each module needs a name of its own
  ArduinoOTA.setPassword("a long password");
  // Short, and no delay(): the transfer waits for it. Home Assistant made the equipment safe before.
  ArduinoOTA.onStart([] { digitalWrite(VALVE, LOW); });
  // No restart here: after some errors the transfer goes on.
  ArduinoOTA.onError([](ota_error_t error) { Serial.printf("OTA error %d\n", error); });
  ArduinoOTA.begin();

  txt("fw_name", FW_NAME);
  txt("fw_version", FW_VERSION);
  txt("mac", WiFi.macAddress());
  txt("md5", ESP.getSketchMD5());  // the sum of the very image that runs
#ifdef ARDUINO_ARCH_ESP8266  // with these an image is sent packed, where that is safe
  txt("core", ESP.getCoreVersion());
  txt("flash_mode", String(ESP.getFlashChipMode()));
  txt("flash_size", String(ESP.getFlashChipRealSize()));
  txt("free", String(ESP.getFreeSketchSpace()));
  txt("sketch_size", String(ESP.getSketchSize()));
#endif
}

void loop() {
  ArduinoOTA.handle();  // often: no delay() of seconds beside it
}
