// SPDX-License-Identifier: Apache-2.0
// The texts that people see, letter by letter.
#include "control/config/render.h"

#include <gtest/gtest.h>

#include "tests/unit/config/judge.h"

namespace pollux::control::testing {
namespace {

LoadResult load(std::string_view text, const std::string& name) {
    LoadOptions options;
    options.check_secret_permissions = false;
    return load_config_text(text, name, options);
}

TEST(Render, UnknownKeyAsInTheManual) {
    const std::string text =
        "[[vrrp_instance]]\nname = \"VI_1\"\n\n\n\n\n\n\n\n\n\n"
        "interface = \"wan\"\nvirtual_router_id = 51\nnoreempt = true\n"
        "virtual_ipaddress = [{ address = \"198.51.100.10/24\" }]\n" +
        std::string(kPorts);
    EXPECT_EQ(render_all(load(text, "conf.d/vrrp.toml")),
              R"(error[E0107]: unknown key `noreempt` in [[vrrp_instance]] "VI_1"
  --> conf.d/vrrp.toml:14:1
   |
14 | noreempt = true
   | ^^^^^^^^ did you mean `nopreempt`?
   |
   = note: unknown keys are errors, nothing was applied

1 error, no warnings in 1 file (conf.d/vrrp.toml)
)");
}

TEST(Render, BothPlacesOfAContradiction) {
    const std::string text =
        "[[virtual_server]]\naddress = \"198.51.100.2\"\nport = 80\nprotocol = \"TCP\"\n"
        "lvs_method = \"DR\"\n  [[virtual_server.real_server]]\n  address = \"10.0.0.12\"\n\n"
        "# \n  port = 8080\n" +
        std::string(kPorts);
    const LoadResult result = load(text, "pollux.toml");
    ASSERT_EQ(result.diagnostics.size(), 1U);
    EXPECT_EQ(render(result.diagnostics[0]),
              R"(error[E0213]: real server port differs from the service port, )"
              R"(not possible with lvs_method = "DR"
  --> pollux.toml:10:10
   |
 3 | port = 80
   |        -- the service listens here
10 |   port = 8080
   |          ^^^^ must be 80 for DR and TUN
   |
   = help: use lvs_method = "NAT", or set port = 80
)");
}

TEST(Render, TabsWideAndControlCharactersKeepTheCaretInPlace) {
    Diagnostic diagnostic{Severity::Warning, "W0001", "title\x1b[31m", {}, {}, {}};
    diagnostic.labels.push_back({"a\nb.toml", 7, 5, 3, "\t\xe4\xb8\xad\x1b abc", "here"});
    EXPECT_EQ(render(diagnostic),
              "warning[W0001]: title\\x1b[31m\n"
              " --> a\\x0ab.toml:7:5\n"
              "  |\n"
              "7 |     \xe4\xb8\xad\\x1b abc\n"
              "  |            ^^^ here\n");
}

TEST(Render, LongLinesAreShownAroundTheirPlace) {
    Diagnostic diagnostic{Severity::Error, "E0001", "title", {}, {}, {}};
    diagnostic.labels.push_back(
        {"a.toml", 1, 5001, 1, std::string(5000, 'x') + "y" + std::string(5000, 'z'), "here"});
    const std::string text = render(diagnostic);
    EXPECT_LT(text.size(), 500U);
    const auto source = text.find("1 | ") + 4;
    const auto caret = text.find("^ here");
    const auto line_start = text.rfind('\n', caret) + 1;
    EXPECT_EQ(text[source + (caret - line_start - 4)], 'y');
}

TEST(Render, ColourOnlyWhenAsked) {
    const Diagnostic diagnostic{Severity::Error, "E0001", "title", {}, {}, {}};
    EXPECT_EQ(render(diagnostic), "error[E0001]: title\n");
    EXPECT_NE(render(diagnostic, {true}).find("\x1b["), std::string::npos);
}

TEST(Render, CountsErrorsBeyondTheTwentiethWithoutShowingThem) {
    std::string text = "[log]\n";
    for (int i = 0; i < 30; ++i) text += "unknown_" + std::to_string(i) + " = 1\n";
    const std::string shown = render_all(load(text + std::string(kPorts), "x.toml"));
    EXPECT_NE(shown.find("30 errors (the first 20 are shown), no warnings in 1 file (x.toml)\n"),
              std::string::npos);
    EXPECT_NE(shown.find("unknown_19"), std::string::npos);
    EXPECT_EQ(shown.find("unknown_20"), std::string::npos);
}

TEST(Render, Json) {
    const std::string text = "[log]\nlevl = \"info\"\n" + std::string(kPorts);
    EXPECT_EQ(render_json(load(text, "x.toml")), R"({
  "schema": 1,
  "errors": 1,
  "warnings": 0,
  "files": [
    "x.toml"
  ],
  "diagnostics": [
    {
      "severity": "error",
      "code": "E0107",
      "title": "unknown key `levl` in [log]",
      "labels": [
        {
          "file": "x.toml",
          "line": 2,
          "column": 1,
          "width": 4,
          "message": "did you mean `level`?"
        }
      ],
      "notes": [
        "unknown keys are errors, nothing was applied"
      ],
      "helps": []
    }
  ]
}
)");
}

}  // namespace
}  // namespace pollux::control::testing
