package dev.tessera.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class UsageChartTest {
  private static Document draw(long... counts) {
    Markup out = new Markup();
    new UsageChart(counts).writeTo(out);
    return ReportSamples.parse(out.document());
  }

  private static List<Element> bars(Document chart) {
    NodeList rects = chart.getElementsByTagName("rect");
    List<Element> bars = new ArrayList<>();
    for (int i = 0; i < rects.getLength(); i++) {
      Element rect = (Element) rects.item(i);
      if (!rect.getAttribute("class").equals("unused")) {
        bars.add(rect);
      }
    }
    return bars;
  }

  @Test
  void barsStandByCountAndNameTheirCode() {
    List<Element> bars = bars(draw(5, 0, 20, 10, 0, 5));
    List<String> titles = bars.stream().map(Element::getTextContent).toList();
    assertEquals(
        List.of(
            "code 2: 20 times, 50.0\u00a0%",
            "code 3: 10 times, 25.0\u00a0%",
            "code 0: 5 times, 12.5\u00a0%",
            "code 5: 5 times, 12.5\u00a0%"),
        titles);
    assertEquals("1000.000", bars.getFirst().getAttribute("height"));
    assertEquals("500.000", bars.get(1).getAttribute("height"));
    assertEquals("166.667", bars.get(1).getAttribute("x"));
  }

  @Test
  void unusedCodesTakeTheirShareOfTheWidth() {
    Document chart = draw(5, 0, 20, 10, 0, 5, 1, 0);
    Element unused = null;
    NodeList rects = chart.getElementsByTagName("rect");
    for (int i = 0; i < rects.getLength(); i++) {
      if (((Element) rects.item(i)).getAttribute("class").equals("unused")) {
        unused = (Element) rects.item(i);
      }
    }
    assertEquals("62.50%", unused.getAttribute("x"));
    assertEquals("37.50%", unused.getAttribute("width"));
    assertEquals("3 codes never chosen", unused.getTextContent());
  }

  @Test
  void aCodeChosenOnceAmongMillionsHasABar() {
    List<Element> bars = bars(draw(1, 5_000_000, 1, 1));
    assertTrue(Double.parseDouble(bars.getLast().getAttribute("height")) > 10);
  }

  @Test
  void largeCodebooksShareBarsWithoutLosingARank() {
    long[] counts = new long[16_384];
    for (int k = 0; k < counts.length; k++) {
      counts[k] = k < 10_000 ? 100 + k % 50 : 0;
    }
    List<Element> bars = bars(draw(counts));
    assertEquals(512, bars.size());
    int next = 1;
    for (Element bar : bars) {
      String[] words = bar.getTextContent().replace(":", "").split(" ", -1);
      assertEquals(next, Integer.parseInt(words[1]));
      next = Integer.parseInt(words[3]) + 1;
    }
    assertEquals(10_001, next);
  }

  @Test
  void halfOfTheChoicesIsCounted() {
    assertEquals(1, new UsageChart(new long[] {1, 0, 5, 2}).half());
    assertEquals(2, new UsageChart(new long[] {3, 3, 0, 3}).half());
    assertEquals(2, new UsageChart(new long[] {1, 0, 5, 2}).top());
    assertEquals(0.625, new UsageChart(new long[] {1, 0, 5, 2}).topShare());
  }

  @Test
  void noChoicesAreNoChart() {
    assertThrows(IllegalArgumentException.class, () -> new UsageChart(new long[] {0, 0}));
  }
}
