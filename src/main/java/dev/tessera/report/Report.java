package dev.tessera.report;

import dev.tessera.io.AtomicFiles;
import dev.tessera.io.PixelImage;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.train.CodeUsage;
import dev.tessera.train.MetricsLog;
import dev.tessera.train.MetricsLog.Row;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** {@code report.html} of a run folder: how a VQ-VAE was trained, and how good it is. */
public final class Report {
  private Report() {}

  /**
   * Writes the report, atomically. The same arguments give the same bytes.
   *
   * @param originals held-out images, of which the first are shown; may be empty
   * @param reconstructions what the model makes of each of them
   * @param usage how often the held-out set chose each code
   * @param parameters of the model
   * @param priors over its codes; may be empty
   * @throws IllegalArgumentException if there are not as many originals as reconstructions
   * @throws IOException if the folder cannot be written to
   */
  public static void write(
      RunFolder folder,
      VqVaeConfig config,
      RunInfo info,
      MetricsLog log,
      List<PixelImage> originals,
      List<PixelImage> reconstructions,
      CodeUsage usage,
      long parameters,
      List<PriorFigures> priors)
      throws IOException {
    List<Row> rows = log.rows();
    List<Section> sections = new ArrayList<>();
    sections.add(new PicturesSection(originals, reconstructions));
    sections.add(new CurvesSection(rows));
    sections.add(new CodebookSection(usage));
    for (PriorFigures prior : priors) {
      sections.add(new PriorSection(prior));
    }
    sections.add(new FactsSection(config, info, parameters));
    sections.add(new RepeatSection(TrainCommandLine.of(folder, config, info)));
    sections.add(new MeasuresSection());
    Page page =
        new Page(
            "Tessera run report",
            config.name(),
            lead(config, info),
            Headline.of(config, rows),
            sections);
    AtomicFiles.write(folder.report(), page.html());
  }

  private static String lead(VqVaeConfig config, RunInfo info) {
    return "A VQ-VAE with "
        + Numbers.count(config.quantizer().codes())
        + (config.quantizer().codes() == 1 ? " code of " : " codes of ")
        + config.quantizer().dim()
        + " dimensions for images of "
        + ModelFacts.image(config)
        + " pixels, trained on "
        + Numbers.count(info.data().trainImages())
        + " images of "
        + info.data().name()
        + " with seed "
        + info.seed()
        + " on "
        + info.device()
        + ".";
  }
}
