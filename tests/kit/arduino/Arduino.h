// Stands in for the cores when the sketches of docs/sketches/ are compiled for this machine and run: what they call,
// with the signatures of esp8266/Arduino 3.1, arduino-esp32 3 and arduino-pico 6, each call printed as one line.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>

#define HIGH 1
#define LOW 0
#define OUTPUT 1
enum { WL_CONNECTED = 3, WIFI_STA = 1 };

inline unsigned long now_ms = 5000;
inline unsigned long millis() { return now_ms; }
inline void delay(unsigned long ms) { now_ms += ms; }
inline void pinMode(int pin, int) { std::printf("pin %d\n", pin); }
inline void digitalWrite(int pin, int level) { std::printf("level %d %d\n", pin, level); }

class String {
 public:
  String(const char *text = "") : text_(text) {}
  explicit String(int value) : text_(std::to_string(value)) {}
  explicit String(unsigned value) : text_(std::to_string(value)) {}
  const char *c_str() const { return text_.c_str(); }
  unsigned length() const { return text_.size(); }
  String substring(unsigned from) const { return text_.substr(from).c_str(); }
  void replace(const char *what, const char *by) {
    for (size_t at; (at = text_.find(what)) != std::string::npos;) text_.replace(at, std::strlen(what), by);
  }
  void toLowerCase() {
    for (char &letter : text_) letter = std::tolower(letter);
  }
  friend String operator+(const String &a, const String &b) { return (a.text_ + b.text_).c_str(); }

 private:
  std::string text_;
};

struct SerialPort {
  void begin(unsigned long) {}
  void println(const char *text) { std::printf("serial %s\n", text); }
  template <class... Values> void printf(const char *format, Values... values) { std::printf(format, values...); }
};
inline SerialPort Serial;

struct Network {
  bool joined = false;
  void mode(int) {}
  void begin(const char *, const char *) { joined = true; }
  int status() { return joined ? WL_CONNECTED : 0; }
  int waitForConnectResult() { return status(); }
  String macAddress() {
#ifdef ARDUINO_ARCH_RP2040
    return "28:cd:c1:a1:b2:c3";
#else
    return "5C:CF:7F:A1:B2:C3";
#endif
  }
};
inline Network WiFi;
struct WiFiClient {};

#ifndef ARDUINO_ARCH_RP2040  // its ESP and MDNS are others, and have none of this
struct Chip {
  String getSketchMD5() { return "0123456789abcdef0123456789abcdef"; }
#ifdef ARDUINO_ARCH_ESP8266
  String getCoreVersion() { return "3_1_2"; }
  int getFlashChipMode() { return 2; }
  uint32_t getFlashChipRealSize() { return 4194304; }
  uint32_t getFreeSketchSpace() { return 2666496; }
  uint32_t getSketchSize() { return 427008; }
#endif
};
inline Chip ESP;

struct Responder {
  bool up = false;
  void addServiceTxt(const char *service, const char *protocol, const char *key, const char *value) {
    if (up) std::printf("txt %s.%s %s=%s\n", service, protocol, key, value);
  }
};
inline Responder MDNS;
#endif

enum ota_error_t { OTA_AUTH_ERROR };
struct ArduinoOTAClass {
  std::function<void()> start;
  void setHostname(const char *name) { std::printf("host %s\n", name); }
  void setPassword(const char *password) { std::printf("password %s\n", password); }
  void onStart(std::function<void()> call) { start = call; }
  void onError(std::function<void(ota_error_t)>) {}
  void begin() {
#ifndef ARDUINO_ARCH_RP2040
    MDNS.up = true;
#endif
    std::printf("ota begun\n");
  }
  void handle() { std::printf("ota handled\n"); }
};
inline ArduinoOTAClass ArduinoOTA;

class WebServer;
inline WebServer *served = nullptr;
class WebServer {
 public:
  explicit WebServer(int port) : port_(port) { served = this; }
  void on(const char *path, std::function<void()> call) { path_ = path, call_ = call; }
  void send(int status, const char *type, const String &body) {
    std::printf("page %d%s %d %s %s\n", port_, path_.c_str(), status, type, body.c_str());
  }
  void begin() { begun_ = true; }
  void handleClient() {}
  void ask() {
    if (begun_ && call_) call_();
  }

 private:
  int port_;
  bool begun_ = false;
  std::string path_;
  std::function<void()> call_;
};
using ESP8266WebServer = WebServer;

struct HTTPUpdateServer {
  void setup(WebServer *, const String &path, const String &user, const String &password) {
    std::printf("update %s %s %s\n", path.c_str(), user.c_str(), password.c_str());
  }
};
using ESP8266HTTPUpdateServer = HTTPUpdateServer;

struct HTTPUpdate {
  std::function<void()> start;
  void onStart(std::function<void()> call) { start = call; }
  void update(WiFiClient &, const String &address, const String &version) {
    std::printf("asked %s %s\n", address.c_str(), version.c_str());
  }
};
inline HTTPUpdate httpUpdate, ESPhttpUpdate;
