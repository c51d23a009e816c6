// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "config/settings.hpp"
#include "support/files.hpp"

namespace minidad {

class Deck : public testing::Test {
 protected:
  Settings read(std::string const& text, std::vector<std::string> const& overrides = {}) {
    return read_deck(folder_.write("deck.toml", text), overrides);
  }
  void expect_refused(std::string const& text, std::vector<std::string> const& parts,
                      std::vector<std::string> const& overrides = {}) {
    expect_error(ExitCode::user, parts, [&] { read(text, overrides); });
  }
  TemporaryFolder folder_;
};

TEST_F(Deck, FillsEveryKindOfSetting) {
  auto const s = read(R"(
[model]
hidden = [3, 4]
activation = "tanh"
[training]
batch = 99
[optimiser]
nesterov = true
momentum = 0.5
[schedule]
rate = 1          # a whole number is a number
)");
  EXPECT_EQ(s.model.hidden, (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(s.model.activation, "tanh");
  EXPECT_EQ(s.training.batch, 99);
  EXPECT_TRUE(s.optimiser.nesterov);
  EXPECT_EQ(s.schedule.rate, 1.0);
  EXPECT_EQ(s.exchange.method, "dsgd");  // a default
}

TEST_F(Deck, IsOverriddenFromTheCommandLine) {
  auto const s =
      read("[exchange]\nmethod = \"dsgd\"\n", {"exchange.method=dad", "model.hidden=[7]", "schedule.rate=0.25",
                                               "output.file=a/b c.h5", "optimiser.nesterov=true", "schedule.rate=0.5"});
  EXPECT_EQ(s.exchange.method, "dad");
  EXPECT_EQ(s.model.hidden, std::vector<std::int64_t>{7});
  EXPECT_EQ(s.schedule.rate, 0.5);
  EXPECT_EQ(s.output.file, "a/b c.h5");
  EXPECT_TRUE(s.optimiser.nesterov);
}

TEST_F(Deck, SurvivesBeingWrittenAndReadAgain) {
  auto const once = read("[data]\nmean = 0.1\n[output]\nfile = 'quote\" and \\ backslash.h5'\n[model]\nhidden = []\n");
  auto const text = resolved_deck(once);
  EXPECT_EQ(resolved_deck(read(text)), text);
  EXPECT_EQ(read(text).output.file, once.output.file);
}

TEST_F(Deck, KeepsTheBitsOfEveryNumberWhenWritten) {
  for (double const rate : {0.0, 1.0, 0.1, 1e-5, 1.25e-7, 1e16, 1e100, 1.0 / 3}) {
    Settings settings;
    settings.schedule.rate = rate;
    EXPECT_EQ(read(resolved_deck(settings)).schedule.rate, rate);
  }
}

TEST_F(Deck, RefusesAnUnknownKeyWithItsLineAndTheNearestKnownOne) {
  expect_refused("[training]\nepochs = 1\nbacth = 5\n",
                 {"deck.toml:3", "'training.bacth'", "did you mean 'training.batch'?"});
}
TEST_F(Deck, FindsAKeyInTheWrongSection) {
  expect_refused("[training]\nmomentum = 0.9\n", {"deck.toml:2", "did you mean 'optimiser.momentum'?"});
}
TEST_F(Deck, RefusesAnUnknownSection) {
  expect_refused("[trainig]\nepochs = 1\n", {"deck.toml:2", "did you mean 'training.epochs'?"});
  expect_refused("[cheese]\n", {"deck.toml:1", "unknown section 'cheese'"});
}
TEST_F(Deck, RefusesAKeyOutsideAnySection) { expect_refused("epochs = 3\n", {"deck.toml:1", "unknown key 'epochs'"}); }
TEST_F(Deck, RefusesWrongTypes) {
  expect_refused("[training]\nepochs = \"ten\"\n", {"deck.toml:2", "must be a whole number, not a text"});
  expect_refused("[training]\nepochs = 1.5\n", {"deck.toml:2", "must be a whole number, not a number with a fraction"});
  expect_refused("[model]\nhidden = 5\n", {"deck.toml:2", "must be a list"});
  expect_refused("[model]\nhidden = [5, \"x\"]\n", {"deck.toml:2", "must be a whole number, not a text"});
  expect_refused("[optimiser]\nnesterov = 1\n", {"deck.toml:2", "must be true or false"});
  expect_refused("training = 3\n", {"deck.toml:1", "'training'"});
}
TEST_F(Deck, RefusesValuesOutOfRange) {
  expect_refused("[training]\nbatch = 0\n", {"deck.toml:2", "training.batch = 0", ">= 1"});
  expect_refused("[model]\nhidden = [4, -1]\n", {"deck.toml:2", "model.hidden = -1"});
  expect_refused("[optimiser]\nmomentum = 1.0\n", {"deck.toml:2", "<= 0.999999"});
  expect_refused("[schedule]\nrate = nan\n", {"deck.toml:2", "out of range"});
  expect_refused("[data]\ndeviation = 0\n", {"deck.toml:2", "> 0"});
  expect_refused("[probe]\nevery = -1\n", {"deck.toml:2", "probe.every = -1", ">= 0"});
  expect_refused("[probe]\nwidth = 0\n", {"deck.toml:2", "probe.width = 0", ">= 1"});
  expect_refused("[probe]\nper_class = 1\n", {"deck.toml:2", "probe.per_class must be true or false"});
}
TEST_F(Deck, RefusesUnknownChoicesWithTheNearest) {
  expect_refused("[exchange]\nmethod = \"dsdg\"\n", {"deck.toml:2", "not one of dsgd, dad", "did you mean 'dsgd'?"});
}
TEST_F(Deck, RefusesBadSyntaxWithItsLine) { expect_refused("[training]\nepochs = = 3\n", {"deck.toml:2"}); }
TEST_F(Deck, RefusesBadOverridesInTheirOwnWords) {
  expect_refused("", {"--set training.bacth=5", "did you mean 'training.batch'?"}, {"training.bacth=5"});
  expect_refused("", {"--set nonsense", "expected section.name=value"}, {"nonsense"});
  expect_refused("", {"--set training.epochs=x", "must be a whole number"}, {"training.epochs=x"});
}
TEST_F(Deck, RefusesAMissingFile) {
  expect_error(ExitCode::user, {"nowhere.toml", "No such file"}, [&] { read_deck(folder_.path("nowhere.toml"), {}); });
}
TEST_F(Deck, RefusesSettingsThatContradictEachOther) {
  expect_refused("[exchange]\ndeterministic = true\n", {"exchange.deterministic needs exchange.method = \"dad\""});
  expect_refused("[exchange]\ndeterministic = true\nmethod = \"none\"\n", {"exchange.deterministic needs", "\"none\""});
  expect_refused("[exchange]\ndeterministic = true\nmethod = \"dad\"\n[data]\nsplit = \"class\"\n",
                 {"exchange.deterministic needs data.split = \"iid\""});
  expect_refused("[optimiser]\nnesterov = true\nmomentum = 0\n", {"nesterov needs"});
  expect_refused("[optimiser]\nnesterov = true\nmethod = \"adam\"\n", {"optimiser.nesterov needs", "\"sgd\""});
  expect_refused("[probe]\nper_class = true\n", {"probe.per_class needs probe.every > 0"});
}

}  // namespace minidad
