package dev.tessera.cli;

import static dev.tessera.cli.Outcome.refused;
import static dev.tessera.cli.Outcome.tessera;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.data.Datasets;
import dev.tessera.data.ImageDataset;
import dev.tessera.device.DataFaultException;
import dev.tessera.io.ImageFiles;
import dev.tessera.io.Npy;
import dev.tessera.io.PixelImage;
import dev.tessera.model.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The commands as a user types them, on a short run; and that run's tokenizer. */
class CommandLineTest {
  @TempDir private static Path folder;
  private static Path run;

  @BeforeAll
  static void train() {
    run = folder.resolve("run");
    Outcome outcome = tessera("train", "mnist", "--steps", 130, "--out", run, "--threads", 2);
    assertEquals(0, outcome.code(), outcome.err());
    assertTrue(outcome.out().contains("held-out: NMSE"), outcome.out());
  }

  @Test
  void theRunFolderHoldsEverything() {
    for (String name :
        new String[] {
          "config.json",
          "run.json",
          "trained_on.npy",
          "model.safetensors",
          "metrics.csv",
          "originals.png",
          "reconstructions.png",
          "report.html"
        }) {
      assertTrue(Files.isRegularFile(run.resolve(name)), name);
    }
  }

  @Test
  void wrongInputGetsOneLineAndCodeTwo() throws IOException {
    refused(List.of("what to train", "keras-mnist"), "train");
    refused(List.of("\"mnits\"", "mnist"), "train", "mnits");
    refused(List.of("no.json"), "train", folder.resolve("no.json"));
    refused(List.of("--seed"), "train", "mnist", "--seed", "x");
    refused(List.of("--epochs", "--steps"), "train", "mnist", "--epochs", 1, "--steps", 2);
    refused(List.of("training.batch"), "train", "mnist", "--batch", 0);
    refused(List.of("--threads"), "train", "mnist", "--threads", 0);
    refused(List.of("gpu", "cuda:N"), "train", "mnist", "--device", "gpu");
    refused(List.of("cuda:1023"), "train", "mnist", "--device", "cuda:1023");
    refused(List.of("sonnet-cifar10", "--data"), "train", "sonnet-cifar10");
    refused(List.of("nowhere"), "train", "mnist", "--data", folder.resolve("nowhere"));
    refused(List.of("run already"), "train", "mnist", "--steps", 1, "--out", run);
    refused(List.of("--resume"), "train", "mnist", "--resume", run);
    refused(List.of("not a folder"), "train", "--resume", folder.resolve("nowhere"));
    refused(List.of("not a run folder"), "eval", folder);
    refused(List.of("RUN"), "eval");
    refused(List.of("--threads", "1025"), "eval", run, "--threads", 1025);
    refused(List.of("--out"), "encode", run, folder.resolve("x.png"));
    refused(List.of("x.png"), "encode", run, folder.resolve("x.png"), "--out", "c.npy");
    refused(List.of("x.npy"), "decode", run, folder.resolve("x.npy"), "--out", folder);
    refused(List.of("bogus"), "bogus");
    Path config = folder.resolve("broken.json");
    Files.writeString(config, "{\"name\": \"x\", \"imagee\": 1}");
    refused(List.of("broken.json", "imagee"), "train", config);
  }

  @Test
  void damagedRunFilesNameTheFile() throws IOException {
    Path copy = folder.resolve("damaged");
    Files.createDirectories(copy);
    for (String name : new String[] {"config.json", "run.json", "trained_on.npy"}) {
      Files.copy(run.resolve(name), copy.resolve(name));
    }
    byte[] model = Files.readAllBytes(run.resolve("model.safetensors"));
    Files.write(copy.resolve("model.safetensors"), Arrays.copyOf(model, model.length / 2));
    refused(List.of("model.safetensors"), "eval", copy);
    Files.write(copy.resolve("config.json"), new byte[] {'{', 0});
    refused(List.of("config.json"), "eval", copy);
  }

  @Test
  void figuresComeAsOneJsonObject() {
    Outcome outcome = tessera("eval", run, "--json");
    assertEquals(0, outcome.code(), outcome.err());
    JsonNode json = JsonMapper.shared().readTree(outcome.out());
    assertEquals(1000, json.get("images").asInt());
    assertTrue(json.get("nmse").asDouble() > 0 && json.get("nmse").asDouble() < 1);
    assertTrue(json.get("usage").asDouble() > 0.1);
    JsonNode devices = JsonMapper.shared().readTree(tessera("devices", "--json").out());
    assertEquals("cpu", devices.get("devices").get(0).get("name").asString());
    assertTrue(devices.get("devices").get(0).get("max_threads").asInt() >= 1);
    for (JsonNode device : devices.get("devices")) {
      assertTrue(
          device.get("available").asBoolean() || device.get("detail").asString().length() > 20,
          device.toString());
    }
    Outcome trained =
        tessera("train", "mnist", "--steps", 2, "--out", folder.resolve("json"), "--json");
    JsonNode figures = JsonMapper.shared().readTree(trained.out());
    assertEquals(2, figures.get("steps").asInt());
    assertTrue(figures.has("heldout_nmse"));
  }

  @Test
  void evaluationRefusesImagesThatWereTrainedOn() throws IOException {
    Path images = folder.resolve("seen");
    ImageDataset train = Datasets.embeddedDigits().train();
    Files.createDirectories(images);
    for (int i = 0; i < 40; i++) {
      ImageFiles.writePng(images.resolve(String.format("%02d.png", i)), train.image(i));
    }
    refused(List.of("trained on"), "eval", run, "--data", images);
  }

  @Test
  void encodeAndDecodeGoThroughFiles() throws IOException {
    ImageDataset digits = Datasets.embeddedDigits().heldOut();
    List<Object> words = new ArrayList<>(List.of("encode", run));
    for (int i = 0; i < 3; i++) {
      Path png = folder.resolve("digit" + i + ".png");
      ImageFiles.writePng(png, digits.image(i));
      words.add(png);
    }
    Path codes = folder.resolve("codes.npy");
    words.add("--out");
    words.add(codes);
    Outcome encoded = tessera(words.toArray());
    assertEquals(0, encoded.code(), encoded.err());
    try (Arena arena = Arena.ofConfined()) {
      assertArrayEquals(new long[] {3, 7, 7}, Npy.read(codes, arena).shape());
    }
    Path out = folder.resolve("decoded");
    Outcome decoded = tessera("decode", run, codes, "--out", out);
    assertEquals(0, decoded.code(), decoded.err());
    PixelImage original = digits.image(2);
    PixelImage made = ImageFiles.read(out.resolve("00002.png"));
    double error = 0;
    for (int i = 0; i < 784; i++) {
      double e = (original.pixels()[i] & 0xFF) - (made.pixels()[i] & 0xFF);
      error += e * e / 784;
    }
    assertTrue(error < 5000, "mean squared error " + error + " of 255^2");
  }

  @SuppressWarnings("MustBeClosedChecker") // both arenas are closed at the end of the loop
  @Test
  void aTokenizerServesManyThreadsAndKindsOfBuffers() {
    ImageDataset digits = Datasets.embeddedDigits().heldOut();
    int n = 70; // more than a batch
    float[] pixels = new float[n * 784];
    byte[] one = new byte[784];
    for (int i = 0; i < n; i++) {
      digits.read(i, one);
      for (int j = 0; j < 784; j++) {
        pixels[i * 784 + j] = (one[j] & 0xFF) / 255f - 0.5f;
      }
    }
    Tokenizer tokenizer = Tokenizer.load(run, "cpu", 2);
    int[] codes = tokenizer.encode(pixels);
    assertEquals(n * 49, codes.length);
    assertFalse(Arrays.stream(codes).anyMatch(c -> c < 0 || c >= 128));
    float[] images = tokenizer.decode(codes);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<CompletableFuture<int[]>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(CompletableFuture.supplyAsync(() -> tokenizer.encode(pixels), threads));
      }
      all.forEach(result -> assertArrayEquals(codes, result.join()));
    }
    ByteBuffer direct = ByteBuffer.allocateDirect(pixels.length * 4).order(ByteOrder.nativeOrder());
    direct.asFloatBuffer().put(pixels);
    ByteBuffer intoHeap = ByteBuffer.allocate(codes.length * 4).order(ByteOrder.nativeOrder());
    tokenizer.encode(direct, intoHeap);
    int[] fromBuffer = new int[codes.length];
    intoHeap.asIntBuffer().get(fromBuffer);
    assertArrayEquals(codes, fromBuffer);
    for (Arena arena : List.of(Arena.ofConfined(), Arena.ofShared())) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_FLOAT, pixels);
      MemorySegment out = arena.allocate(codes.length * 4L, 4);
      tokenizer.encode(in, out);
      assertArrayEquals(codes, out.toArray(ValueLayout.JAVA_INT));
      MemorySegment back = arena.allocate(images.length * 4L, 4);
      tokenizer.decode(out, back);
      assertArrayEquals(images, back.toArray(ValueLayout.JAVA_FLOAT));
      arena.close();
    }
    assertEquals(0, tokenizer.encode(new float[0]).length);
    assertThrows(IllegalArgumentException.class, () -> tokenizer.encode(new float[783]));
    assertThrows(DataFaultException.class, () -> tokenizer.decode(outOfRange()));
    tokenizer.close();
    tokenizer.close();
    assertThrows(IllegalStateException.class, () -> tokenizer.encode(pixels));
  }

  private static int[] outOfRange() {
    int[] codes = new int[49];
    codes[17] = 128;
    return codes;
  }
}
