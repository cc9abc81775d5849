package dev.tessera.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class MarkupTest {
  @Test
  void everyCharacterOfATextSurvivesOrIsReplaced() {
    StringBuilder text = new StringBuilder();
    StringBuilder expected = new StringBuilder();
    for (int c = 0; c <= 0x1FFFF; c++) {
      boolean bad =
          (c < 0x20 && c != '\n' && c != '\t')
              || (c >= 0x7F && c <= 0x9F)
              || (c >= 0xD800 && c <= 0xDFFF)
              || (c >= 0xFDD0 && c <= 0xFDEF)
              || (c & 0xFFFF) >= 0xFFFE;
      text.append(' ').appendCodePoint(c); // the space keeps half surrogates apart
      expected.append(' ').appendCodePoint(bad ? 0xFFFD : c);
    }
    Markup out = new Markup();
    out.open("p", "title", text.toString()).text(text.toString()).close();
    var p = ReportSamples.parse(out.document()).getDocumentElement();
    assertEquals(expected.toString(), p.getTextContent());
    assertEquals(expected.toString(), p.getAttribute("title"));
  }

  @Test
  void anElementLeftOpenIsAnError() {
    Markup out = new Markup().open("p").open("b").close();
    String message = assertThrows(IllegalStateException.class, out::document).getMessage();
    assertTrue(message.contains("<p>"), message);
  }

  @Test
  void aStyleSheetMayNotEndItself() {
    Markup out = new Markup();
    assertThrows(IllegalArgumentException.class, () -> out.style("p {} </style>"));
    assertThrows(IllegalArgumentException.class, () -> out.style("a & b {}"));
  }
}
