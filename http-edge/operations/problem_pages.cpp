#include "http-edge/operations/problem_pages.hpp"

#include <string_view>

namespace ordem::http_edge {
namespace {

constexpr std::string_view page_head =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<style>\n"
    "  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; color: #1b1f24; }\n"
    "  code { background: #eef1f4; padding: .1rem .35rem; border-radius: .25rem; }\n"
    "  h1 { font-size: 1.6rem; line-height: 1.3; } dt { margin-top: .8rem; } dd { margin-left: 0; color: #4a5259; }\n"
    "  a { color: #0a58ca; }\n"
    "  @media (prefers-color-scheme: dark) {\n"
    "    body { background: #15181c; color: #e4e7ea; } code { background: #262b31; } dd { color: #a6aeb6; } a { color: #7fb2ff; }\n"
    "  }\n"
    "</style>\n";

void append_html(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
}

}  // namespace

std::string problem_page(const codec::problem_row& row) {
  std::string page(page_head);
  page += "<title>";
  append_html(page, row.title);
  page += " - Ordem</title>\n</head>\n<body>\n<h1>";
  append_html(page, row.title);
  page += "</h1>\n<p>Status <code>" + std::to_string(row.status) + "</code>, code <code>" + std::to_string(row.code) +
          "</code>, type <code>/problems/" + std::string(row.slug) + "</code></p>\n<p>";
  append_html(page, row.explanation);
  const codec::retry_advice advice = codec::advice_of(row.retry);
  page += "</p>\n<p>Retry: <code>" + std::string(advice.key) + "</code>, reason <code>" + std::string(advice.reason) +
          "</code>. ";
  append_html(page, advice.explanation);
  page += "</p>\n<p><a href=\"/problems/\">All problems</a></p>\n</body>\n</html>\n";
  return page;
}

std::string problem_list_page() {
  std::string page(page_head);
  page +=
      "<title>Problems - Ordem</title>\n</head>\n<body>\n<h1>Problems</h1>\n<p>The errors that Ordem returns.</p>\n<dl>\n";
  for (const codec::problem_row& row : codec::problem_table()) {
    page += "<dt><a href=\"/problems/" + std::string(row.slug) + "\">" + std::string(row.slug) + "</a> <code>" +
            std::to_string(row.status) + "</code></dt><dd>";
    append_html(page, row.title);
    page += "</dd>\n";
  }
  page += "</dl>\n</body>\n</html>\n";
  return page;
}

}  // namespace ordem::http_edge
