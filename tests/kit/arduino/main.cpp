// Runs a sketch for a few rounds of its loop, looks at its page, and begins an update.
#include SKETCH

int main() {
  setup();
  for (int round = 0; round < 3; round++, delay(1000)) loop();
  if (served) served->ask();
  std::printf("update begins\n");
  if (ArduinoOTA.start) ArduinoOTA.start();
}
