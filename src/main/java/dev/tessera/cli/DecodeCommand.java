package dev.tessera.cli;

import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.ImageFiles;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.Npy;
import dev.tessera.io.PixelImage;
import dev.tessera.model.Tokenizer;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.train.Pictures;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera decode}: codes to image files. */
@Command(
    name = "decode",
    description = "Turns codes back into images, one PNG each.",
    mixinStandardHelpOptions = true)
final class DecodeCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "RUN", description = "A run folder.")
  private Path run = Path.of("");

  @Parameters(
      index = "1",
      paramLabel = "codes.npy",
      description = "i32 codes [images, rows, columns], as tessera encode writes them.")
  private Path codes = Path.of("");

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "The folder to write 00000.png, 00001.png, ... into.")
  private Path out = Path.of("");

  @Option(names = "--device", paramLabel = "D", description = "cpu or cuda:N. Default: cpu.")
  private String device = "cpu";

  @Mixin private OutputOptions output = new OutputOptions();

  private record Figures(String out, int images, int height, int width) {}

  @Override
  public Integer call() throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(run, device, 1);
        Arena arena = Arena.ofConfined()) {
      VqVaeConfig config = tokenizer.config();
      int[] values = read(arena, config);
      float[] pixels = tokenizer.decode(values);
      VqVaeConfig.ImageConfig image = config.image();
      List<PixelImage> images =
          Pictures.images(pixels, image.height(), image.width(), image.channels());
      Files.createDirectories(out);
      for (int i = 0; i < images.size(); i++) {
        ImageFiles.writePng(out.resolve(String.format(Locale.ROOT, "%05d.png", i)), images.get(i));
      }
      Figures figures = new Figures(out.toString(), images.size(), image.height(), image.width());
      output.print(
          figures,
          () ->
              output
                  .out()
                  .printf(
                      "%d images of %dx%d pixels in %s%n",
                      figures.images(), figures.height(), figures.width(), figures.out()));
    }
    return 0;
  }

  private int[] read(Arena arena, VqVaeConfig config) throws IOException {
    HostArray array = Npy.read(codes, arena);
    long[] shape = array.shape();
    if (array.type() != ElementType.I32
        || shape.length != 3
        || shape[1] != config.gridHeight()
        || shape[2] != config.gridWidth()) {
      throw new MalformedFileException(
          codes,
          "is "
              + array
              + " and should be I32[n,"
              + config.gridHeight()
              + ","
              + config.gridWidth()
              + "] for this run");
    }
    int[] values = array.toInts();
    int k = config.quantizer().codes();
    for (int i = 0; i < values.length; i++) {
      if (values[i] < 0 || values[i] >= k) {
        throw new MalformedFileException(
            codes, "element " + i + " is " + values[i] + ", and the run has codes 0 to " + (k - 1));
      }
    }
    return values;
  }
}
