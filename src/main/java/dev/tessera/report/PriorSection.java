package dev.tessera.report;

import dev.tessera.io.PixelImage;
import dev.tessera.report.LineChart.Range;
import dev.tessera.report.PriorFigures.Epoch;
import dev.tessera.report.PriorFigures.Sample;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A prior over the codes: its loss between two floors, and samples as it learned. */
final class PriorSection implements Section {
  private static final int LARGEST = 1000; // pixels of a picture's side in the page
  private static final int ON_SCREEN = 600; // small pictures are enlarged to about this width
  private static final int MOST_FACTOR = 3;

  private final PriorFigures prior;
  private final List<Thumbnail> kept = new ArrayList<>();
  private final List<Thumbnail> last = new ArrayList<>(); // none or one

  PriorSection(PriorFigures prior) throws IOException {
    this.prior = prior;
    for (Sample sample : prior.kept()) {
      kept.add(Thumbnail.of(sample.picture(), LARGEST));
    }
    PixelImage samples = prior.samples();
    if (samples != null) {
      last.add(Thumbnail.of(samples, LARGEST));
    }
  }

  @Override
  public String title() {
    return "Prior: " + prior.name();
  }

  @Override
  public String note() {
    return prior.lead();
  }

  @Override
  public void writeTo(Markup out) {
    chart().writeTo(out);
    if (!kept.isEmpty()) {
      out.element("h3", "Samples as it learned", "class", "caption");
      out.element("p", "Each row is drawn from the same random numbers.", "class", "nothing");
      for (int i = 0; i < kept.size(); i++) {
        Sample sample = prior.kept().get(i);
        out.open("figure", "class", "samples pixels");
        picture(out, kept.get(i), "Samples after epoch " + sample.epoch());
        out.element("figcaption", caption(sample.epoch())).close();
      }
    }
    for (Thumbnail samples : last) {
      out.element("h3", "Samples of the best epoch", "class", "caption");
      out.open("figure", "class", "samples pixels");
      picture(out, samples, "Samples of the best epoch");
      out.close();
    }
  }

  private LineChart chart() {
    List<Epoch> epochs = prior.epochs();
    return new LineChart(
        "Nats a code",
        Range.LOSS,
        v -> Numbers.fixed(v, 3),
        List.of(
            Series.of("training", "a", epochs, Epoch::step, Epoch::trained),
            Series.of("held-out", "b", epochs, Epoch::step, Epoch::heldOut),
            floor("all codes alike", "c", prior.uniform()),
            floor("frequencies at each place", "d", prior.byPosition())));
  }

  private Series floor(String label, String style, double value) {
    return Series.of(label, style, prior.epochs(), Epoch::step, _ -> value);
  }

  private String caption(int number) {
    for (Epoch epoch : prior.epochs()) {
      if (epoch.number() == number) {
        return "epoch " + number + ": " + Numbers.fixed(epoch.heldOut(), 3) + " nats held-out";
      }
    }
    return "epoch " + number;
  }

  private static void picture(Markup out, Thumbnail picture, String description) {
    int factor = Math.clamp(ON_SCREEN / picture.width(), 1, MOST_FACTOR);
    out.open("div", "style", "--width:" + picture.width() * factor + "px");
    picture.writeTo(out, description);
    out.close();
  }
}
