// SPDX-License-Identifier: MIT
// Several listeners behind the one seam: each is told everything, in the order in which they were added.
#pragma once

#include <algorithm>
#include <vector>

#include "runner.hpp"

namespace telec {

class ProgressList : public Progress {
 public:
  /// `listener` outlives this.
  void add(Progress& listener) { listeners_.push_back(&listener); }

  void planned(const std::vector<const Migration*>& pending) override {
    for (Progress* listener : listeners_) {
      listener->planned(pending);
    }
  }
  void started(const Migration& migration, std::size_t position, std::size_t total) override {
    for (Progress* listener : listeners_) {
      listener->started(migration, position, total);
    }
  }
  void printed(std::string_view bytes) override {
    for (Progress* listener : listeners_) {
      listener->printed(bytes);
    }
  }
  bool has_room() override {
    return std::ranges::all_of(listeners_, [](Progress* listener) { return listener->has_room(); });
  }
  void finished(const ReportEntry& entry) override {
    for (Progress* listener : listeners_) {
      listener->finished(entry);
    }
  }
  void note(const std::string& text) override {
    for (Progress* listener : listeners_) {
      listener->note(text);
    }
  }
  void stopping(const std::string& text) override {
    for (Progress* listener : listeners_) {
      listener->stopping(text);
    }
  }
  void ticked(double elapsed) override {
    for (Progress* listener : listeners_) {
      listener->ticked(elapsed);
    }
  }

 private:
  std::vector<Progress*> listeners_;
};

}  // namespace telec
