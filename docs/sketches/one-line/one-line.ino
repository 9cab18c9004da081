// The shortest sketch that ESP OTA updates and proves, for an ESP8266, an ESP32 or a Pico W.
// Copy ../esp_ota.h beside this file.
#include "esp_ota.h"

const int VALVE = 5;

void closeValve() { digitalWrite(VALVE, LOW); }

void setup() {
  pinMode(VALVE, OUTPUT);  // first of all: low on all three chips, so the valve stays closed
  digitalWrite(VALVE, LOW);
  Serial.begin(115200);
  WiFi.begin("your network", "its password");
  EspOta.onStart(closeValve);
}

void loop() {
  ESP_OTA("garden-valve", "1.1.0", "a long password");
}
