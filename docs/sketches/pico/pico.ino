// ArduinoOTA on a Pico W or Pico 2 W (arduino-pico), and a page that says what runs: ArduinoOTA of this core announces
// fixed records only. In the IDE choose a flash size with a file system: the image is stored there before it is flashed.
// Home Assistant: Configure → Where the version can be read: http://{host}/esp_ota and the value "version".
#include <ArduinoOTA.h>
#include <WebServer.h>
#include <WiFi.h>

#define FW_NAME "garden-valve"
#define FW_VERSION "1.1.0"
const char esp_ota_marker[] __attribute__((used)) = "ESP_OTA_FW:" FW_NAME ":" FW_VERSION ";";

const int VALVE = 5;
WebServer server(80);

void setup() {
  pinMode(VALVE, OUTPUT);  // first of all: it is low then, so the valve stays closed
  digitalWrite(VALVE, LOW);
  Serial.begin(115200);
  Serial.println(esp_ota_marker);
  WiFi.mode(WIFI_STA);
  WiFi.begin("your network", "its password");
  while (WiFi.status() != WL_CONNECTED) delay(500);

  ArduinoOTA.setHostname("garden-valve");  // each module needs a name of its own
  ArduinoOTA.setPassword("a long password");
  ArduinoOTA.onStart([] { digitalWrite(VALVE, LOW); });
  ArduinoOTA.begin();

  server.on("/esp_ota", [] {
    String says = "{\"firmware\": \"" FW_NAME "\", \"version\": \"" FW_VERSION "\", \"mac\": \"";
    server.send(200, "application/json", says + WiFi.macAddress() + "\"}");
  });
  server.begin();
}

void loop() {
  ArduinoOTA.handle();
  server.handleClient();
}
