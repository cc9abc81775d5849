package dev.tessera.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.report.LineChart.Range;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class LineChartTest {
  private static LineChart chart(Range range, double[] steps, double[] values) {
    return new LineChart(
        "Loss", range, Numbers::loss, List.of(new Series("training", "a", steps, values)));
  }

  private static Document draw(LineChart chart) {
    Markup out = new Markup();
    chart.writeTo(out);
    return ReportSamples.parse(out.document());
  }

  private static String path(Document drawn) {
    return ((Element) drawn.getElementsByTagName("path").item(0)).getAttribute("d");
  }

  @Test
  void pointsLieWhereTheirValuesAre() {
    double[] steps = {0, 50, 100};
    Document drawn = draw(chart(Range.PERCENT, steps, new double[] {0, 25, 100}));
    assertEquals("M0.0 1000.0L500.0 750.0L1000.0 0.0", path(drawn));
  }

  @Test
  void lossesThatSpanALotAreLogarithmic() {
    double[] steps = {0, 50, 100};
    Document wide = draw(chart(Range.LOSS, steps, new double[] {100, 1, 0.01}));
    assertTrue(wide.getDocumentElement().getTextContent().contains("log scale"));
    String[] points = path(wide).split("L", -1);
    assertEquals("500.0 500.0", points[1]);
    Document narrow = draw(chart(Range.LOSS, steps, new double[] {0.3, 0.2, 0.1}));
    assertFalse(narrow.getDocumentElement().getTextContent().contains("log scale"));
  }

  @Test
  void zerosBreakALogarithmicLine() {
    double[] steps = {0, 25, 50, 75, 100};
    String d = path(draw(chart(Range.LOSS, steps, new double[] {10, 1, 0, 0.5, 0.1})));
    assertEquals(2, d.chars().filter(c -> c == 'M').count());
    assertEquals(2, d.chars().filter(c -> c == 'L').count());
  }

  @Test
  void aLineGoesOverStepsThatWereNotMeasured() {
    double[] steps = {0, 25, 50, 75, 100};
    double[] values = {10, Double.NaN, 20, Double.NaN, 30};
    String d = path(draw(chart(Range.PERCENT, steps, values)));
    assertEquals("M0.0 900.0L500.0 800.0L1000.0 700.0", d);
  }

  @Test
  void oneValueIsADot() {
    Document drawn = draw(chart(Range.LOSS, new double[] {71}, new double[] {0.5}));
    assertTrue(drawn.getElementsByTagName("circle").getLength() > 0);
  }

  @Test
  void whatIsSeenIsAlsoSaid() {
    double[] steps = {0, 50, 100};
    Document drawn = draw(chart(Range.LOSS, steps, new double[] {0.9, 0.05, 0.06}));
    String label = ((Element) drawn.getElementsByTagName("svg").item(0)).getAttribute("aria-label");
    assertEquals(
        "Loss over steps. training: from 0.9000 to 0.0600, least 0.0500, greatest 0.9000.", label);
  }

  @Test
  void pointingReadsTheValuesOfThatStep() {
    double[] steps = {1000, 2000, 3000};
    Document drawn = draw(chart(Range.LOSS, steps, new double[] {0.9, 0.05, Double.NaN}));
    List<String> read = new ArrayList<>();
    for (int i = 0; i < drawn.getElementsByTagName("g").getLength(); i++) {
      read.add(drawn.getElementsByTagName("g").item(i).getTextContent().strip());
    }
    assertEquals(List.of("step 1,0000.9000", "step 2,0000.0500", "step 3,000"), read);
  }
}
