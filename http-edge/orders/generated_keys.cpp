#include "http-edge/orders/generated_keys.hpp"

#include <random>

#include "engine/base/check.hpp"
#include "engine/base/text.hpp"

namespace ordem::http_edge {

generated_keys::generated_keys() : prefix_("generated-") {
  std::random_device device;
  for (int words = 0; words < 4; ++words) {
    append_number(prefix_, device());
    prefix_ += '-';
  }
}

guid generated_keys::next() {
  std::string text = prefix_;
  append_number(text, ++count_);
  auto made = guid::parse(text);
  ORDEM_CHECK(made.has_value());
  return std::move(*made);
}

}  // namespace ordem::http_edge
