package dev.tessera.cli;

import dev.tessera.data.PixelScaler;
import dev.tessera.io.HostArray;
import dev.tessera.io.ImageFiles;
import dev.tessera.io.Npy;
import dev.tessera.model.Tokenizer;
import dev.tessera.model.VqVaeConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera encode}: image files to codes. */
@Command(
    name = "encode",
    description = "Turns images into codes, i32 [images, rows, columns] as .npy.",
    mixinStandardHelpOptions = true)
final class EncodeCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "RUN", description = "A run folder.")
  private Path run = Path.of("");

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "IMAGE",
      description = "PNG or JPEG files, or folders of them, of the size that the run is for.")
  private List<Path> images = List.of();

  @Option(
      names = "--out",
      required = true,
      paramLabel = "codes.npy",
      description = "The file to write.")
  private Path out = Path.of("codes.npy");

  @Option(names = "--device", paramLabel = "D", description = "cpu or cuda:N. Default: cpu.")
  private String device = "cpu";

  @Mixin private OutputOptions output = new OutputOptions();

  private record Figures(String out, int images, int rows, int columns, int codesUsed) {}

  @Override
  public Integer call() throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(run, device, 1)) {
      VqVaeConfig config = tokenizer.config();
      List<Path> files = files(images);
      float[] pixels = new float[Math.multiplyExact(files.size(), tokenizer.imageSize())];
      PixelScaler scaler = new PixelScaler(PixelScaler.CENTRED);
      int at = 0;
      for (Path file : files) {
        for (byte sample : RunImages.read(file, config.image()).pixels()) {
          pixels[at++] = scaler.scale(sample);
        }
      }
      int[] codes = tokenizer.encode(pixels);
      Npy.write(out, HostArray.of(codes, files.size(), config.gridHeight(), config.gridWidth()));
      Figures figures =
          new Figures(
              out.toString(),
              files.size(),
              config.gridHeight(),
              config.gridWidth(),
              (int) java.util.Arrays.stream(codes).distinct().count());
      output.print(
          figures,
          () ->
              output
                  .out()
                  .printf(
                      "%d images of %dx%d codes (%d different) in %s%n",
                      figures.images(),
                      figures.rows(),
                      figures.columns(),
                      figures.codesUsed(),
                      figures.out()));
    }
    return 0;
  }

  private static List<Path> files(List<Path> given) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path path : given) {
      if (!Files.isDirectory(path)) {
        files.add(path);
        continue;
      }
      try (Stream<Path> inside = Files.walk(path)) {
        inside
            .filter(Files::isRegularFile)
            .filter(ImageFiles::hasImageName)
            .sorted()
            .forEach(files::add);
      } catch (UncheckedIOException e) {
        throw new IOException(e);
      }
    }
    if (files.isEmpty()) {
      throw new IllegalArgumentException("there are no PNG or JPEG files in " + given);
    }
    return files;
  }
}
