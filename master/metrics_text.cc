#include "master/metrics_text.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <ostream>
#include <streambuf>
#include <string_view>

namespace restgate::master {
namespace {

/// A stream into a string that can be taken without copying it.
class StringSink final : public std::streambuf {
 public:
  explicit StringSink(size_t expected) {
    text_.resize(std::max<size_t>(expected, 4096));
    setp(text_.data(), text_.data() + text_.size());
  }
  [[nodiscard]] std::string take() {
    text_.resize(static_cast<size_t>(pptr() - pbase()));
    return std::move(text_);
  }

 protected:
  int_type overflow(int_type c) override {
    const auto used = static_cast<size_t>(pptr() - pbase());
    text_.resize(text_.size() * 2);
    setp(text_.data(), text_.data() + text_.size());
    advance(used);
    if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
    return sputc(traits_type::to_char_type(c));
  }

 private:
  void advance(size_t count) {
    for (constexpr size_t kStep = 1U << 30; count > 0;) {
      const size_t step = std::min(count, kStep);  // pbump takes an int
      pbump(static_cast<int>(step));
      count -= step;
    }
  }

  std::string text_;
};

std::string render(const prometheus::Collectable& collectable, size_t expected) {
  StringSink sink(expected);
  std::ostream out(&sink);
  prometheus::TextSerializer().Serialize(out, collectable.Collect());
  return sink.take();
}

}  // namespace

std::shared_ptr<const std::string> MetricsText::get() {
  const Clock::time_point begin = now_();
  if (text_ != nullptr && took_ > kCheap && begin - finished_ < took_ * kRest) return text_;
  const size_t expected = text_ != nullptr ? text_->size() + text_->size() / 8 : 0;
  text_ = std::make_shared<const std::string>(render(collectable_, expected));
  finished_ = now_();
  took_ = finished_ - begin;
  return text_;
}

}  // namespace restgate::master
