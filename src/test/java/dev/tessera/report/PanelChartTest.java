package dev.tessera.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.report.PanelChart.Axis;
import dev.tessera.report.PanelChart.Line;
import dev.tessera.report.PanelChart.Panel;
import dev.tessera.report.PanelChart.Point;
import dev.tessera.report.PanelChart.Row;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;

/** The charts of a sweep as an SVG document. */
class PanelChartTest {
  private static PanelChart chart(Point... points) {
    Line line = new Line("a < b", "#123456", false, List.of(points));
    Line dashed = new Line("other", "#654321", true, List.of(points));
    Row linear =
        new Row("up", Axis.LINEAR, "limit", List.of(new Panel("one", List.of(dashed, line))));
    Row log = new Row("cost", Axis.LOGARITHMIC, null, List.of(new Panel("1", List.of(line))));
    return new PanelChart("title", "sub", "K", "marked", List.of(linear, log));
  }

  private static Document parse(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void itIsOneWellFormedDocumentThatStandsAlone() throws Exception {
    Document svg = parse(chart(new Point(64, 0.5, false), new Point(512, 2.5, true)).svg());
    assertEquals("svg", svg.getDocumentElement().getTagName());
    assertEquals(3, svg.getElementsByTagName("path").getLength());
    assertTrue(svg.getDocumentElement().getTextContent().contains("a < b"));
    assertEquals(0, svg.getElementsByTagName("style").getLength());
  }

  @Test
  void aSinglePointIsAChartToo() throws Exception {
    Document svg = parse(chart(new Point(64, 1, true)).svg());
    assertTrue(svg.getElementsByTagName("circle").getLength() > 3);
  }
}
