// ESP OTA for Home Assistant, on an ESP8266, an ESP32 or a Pico W: all a sketch needs, in one line of its loop().
//
//   #include "esp_ota.h"
//   void loop() { ESP_OTA("garden-valve", "1.1.0", "a long password"); }
//
// Join the Wi-Fi as you always do. The line puts the marker into the image, starts ArduinoOTA as soon as there is a
// network, and says which firmware and version runs. Before the #include there may be:
//
//   #define ESP_OTA_PAGE 80         a web server on this port: /update takes images (user admin, the same password),
//                                   /esp_ota says what runs (Pico: always)
//   #define ESP_OTA_PULL "http://…" the address under "It asks for updates": the module asks as well
//   #define ESP_OTA_PULL_SECONDS 300
//
// In setup(): EspOta.onStart(closeValve) calls a function of yours before the first byte is written; EspOta.hostname
// names the module otherwise than "garden-valve-" and the end of its MAC.
//
// Part of ESP OTA, Apache-2.0. For the cores esp8266 3.x, arduino-esp32 3.x and arduino-pico 5.x and 6.x.
#pragma once

#include <Arduino.h>
#include <ArduinoOTA.h>
#include <functional>

#if defined(ARDUINO_ARCH_ESP8266)
#include <ESP8266WiFi.h>
#include <ESP8266mDNS.h>
#elif defined(ARDUINO_ARCH_ESP32)
#include <ESPmDNS.h>
#include <WiFi.h>
#elif defined(ARDUINO_ARCH_RP2040)
#include <WiFi.h>
#ifndef ESP_OTA_PAGE
#define ESP_OTA_PAGE 80  // ArduinoOTA of this core announces fixed records only: the page says which version runs
#endif
#else
#error "esp_ota.h is for the ESP8266, the ESP32 and the Pico W"
#endif

#ifdef ESP_OTA_PAGE
#if defined(ARDUINO_ARCH_ESP8266)
#include <ESP8266HTTPUpdateServer.h>
using EspOtaServer = ESP8266WebServer;
using EspOtaUpdatePage = ESP8266HTTPUpdateServer;
#else
#include <HTTPUpdateServer.h>
using EspOtaServer = WebServer;
using EspOtaUpdatePage = HTTPUpdateServer;
#endif
#endif

#ifdef ESP_OTA_PULL
#ifndef ESP_OTA_PULL_SECONDS
#define ESP_OTA_PULL_SECONDS 300
#endif
#if defined(ARDUINO_ARCH_ESP8266)
#include <ESP8266httpUpdate.h>
#define ESP_OTA_PULLER ESPhttpUpdate
#else
#include <HTTPUpdate.h>
#define ESP_OTA_PULLER httpUpdate
#endif
#endif

class EspOtaClass {
 public:
  const char *hostname = nullptr;

  // Called before an update is written, however it comes: switch off here what must not run meanwhile.
  // Do not restart in ArduinoOTA.onError(): after some errors the transfer goes on.
  void onStart(std::function<void()> makeSafe) { makeSafe_ = makeSafe; }

  void handle(const char *marker, const char *name, const char *version, const char *password) {
    if (WiFi.status() != WL_CONNECTED) return;
    if (!begun_) begin(marker, name, version, password);
    ArduinoOTA.handle();
#ifdef ESP_OTA_PAGE
    server_.handleClient();
#endif
#ifdef ESP_OTA_PULL
    if (millis() - asked_ >= ESP_OTA_PULL_SECONDS * 1000UL) {
      WiFiClient client;
      ESP_OTA_PULLER.update(client, ESP_OTA_PULL, version);
      asked_ = millis();
    }
#endif
  }

 private:
  void begin(const char *marker, const char *name, const char *version, const char *password) {
    begun_ = true;
    Serial.println(marker);  // what is used nowhere is not linked
    String mac = WiFi.macAddress();
    String end = mac.substring(9);
    end.replace(":", "");
    end.toLowerCase();
    ArduinoOTA.setHostname(hostname ? hostname : (String(name) + "-" + end).c_str());
    bool locked = password != nullptr && *password;
    if (locked) ArduinoOTA.setPassword(password);
    ArduinoOTA.onStart([this] { makeSafe(); });
    ArduinoOTA.begin();
#if defined(ARDUINO_ARCH_ESP8266) || defined(ARDUINO_ARCH_ESP32)
    txt("fw_name", name);
    txt("fw_version", version);
    txt("mac", mac);
    txt("md5", ESP.getSketchMD5());
#endif
#ifdef ARDUINO_ARCH_ESP8266  // with these an image is sent packed, where that is safe
    txt("core", ESP.getCoreVersion());
    txt("flash_mode", String(ESP.getFlashChipMode()));
    txt("flash_size", String(ESP.getFlashChipRealSize()));
    txt("free", String(ESP.getFreeSketchSpace()));
    txt("sketch_size", String(ESP.getSketchSize()));
#endif
#ifdef ESP_OTA_PAGE
    says_ = String("{\"firmware\": \"") + name + "\", \"version\": \"" + version + "\", \"mac\": \"" + mac + "\"}";
    server_.on("/esp_ota", [this] { server_.send(200, "application/json", says_); });
    page_.setup(&server_, "/update", locked ? "admin" : "", locked ? password : "");
    server_.begin();
#endif
#ifdef ESP_OTA_PULL
    ESP_OTA_PULLER.onStart([this] { makeSafe(); });
    asked_ = millis() - ESP_OTA_PULL_SECONDS * 1000UL;  // ask at once: it is the proof after an update
#endif
  }

  void makeSafe() {
    if (makeSafe_) makeSafe_();
  }

#if defined(ARDUINO_ARCH_ESP8266) || defined(ARDUINO_ARCH_ESP32)
  void txt(const char *key, const String &value) { MDNS.addServiceTxt("arduino", "tcp", key, value.c_str()); }
#endif

  std::function<void()> makeSafe_;
  bool begun_ = false;
#ifdef ESP_OTA_PAGE
  EspOtaServer server_{ESP_OTA_PAGE};
  EspOtaUpdatePage page_;
  String says_;
#endif
#ifdef ESP_OTA_PULL
  unsigned long asked_ = 0;
#endif
};

inline EspOtaClass EspOta;

// Whether a name or a version can stand in the marker, and be read from it again.
constexpr bool espOtaReads(const char *text) {
  for (const char *at = text; *at; at++) {
    const bool letter = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9');
    const bool sign = *at == '.' || *at == '_' || *at == '+' || *at == '-';
    if (!letter && (!sign || at == text)) return false;
  }
  return *text;
}

// The marker is text in the image: ESP OTA reads firmware and version of a .bin from it.
#define ESP_OTA(name, version, password)                                               \
  do {                                                                                 \
    static_assert(sizeof(name) <= 41 && sizeof(version) <= 41, "at most 40 characters"); \
    static_assert(espOtaReads(name) && espOtaReads(version), "letters, digits, . _ + - and no blanks"); \
    static const char marker[] __attribute__((used)) = "ESP_OTA_FW:" name ":" version ";"; \
    EspOta.handle(marker, name, version, password);                                    \
  } while (0)
