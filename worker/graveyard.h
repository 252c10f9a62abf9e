// Graveyard: objects that an event callback has ended are destroyed after the turn, when no callback can use them.
// Worker.
#pragma once

#include <memory>
#include <vector>

namespace restgate::worker {

/// Base of what may end inside its own callback.
class Mortal {
 public:
  virtual ~Mortal() = default;
};

class Graveyard {
 public:
  void bury(std::unique_ptr<Mortal> body) { bodies_.push_back(std::move(body)); }
  /// Destroys what is there. A destructor may bury more; that goes too.
  void clear() {
    while (!bodies_.empty()) {
      std::vector<std::unique_ptr<Mortal>> bodies;
      bodies.swap(bodies_);
    }
  }

 private:
  std::vector<std::unique_ptr<Mortal>> bodies_;
};

}  // namespace restgate::worker
