package dev.tessera.judge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.data.DatasetSplit;
import dev.tessera.data.ImageDataset;
import dev.tessera.data.SeenImages;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.io.MalformedFileException;
import dev.tessera.nn.Ops;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import dev.tessera.train.Pixels;
import dev.tessera.train.RunInfo.DataInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training and using a classifier of bars. */
class ClassifierTest {
  private static final long SEED = System.nanoTime();
  private static final DatasetSplit BARS = Bars.split(SEED);
  private static Device device;

  @TempDir private Path folder;

  @BeforeAll
  static void open() {
    device = Device.open("cpu");
  }

  @AfterAll
  static void close() {
    device.close();
  }

  private static final ClassifierTrainer.Listener QUIET = (epoch, nats, heldOut, speed) -> {};

  private ClassifierFolder trained(String name, long seed, int threads) throws IOException {
    ClassifierFolder made = new ClassifierFolder(folder.resolve(name));
    made.create();
    try (ClassifierTrainer trainer =
        new ClassifierTrainer(Bars.CONFIG, seed, BARS, device, threads)) {
      Classifier.Score score = trainer.run(QUIET);
      DataInfo data = new DataInfo("bars", "bars", "", 480, 200);
      trainer.write(
          made, new ClassifierInfo("test", seed, data, score.confusion().share(), score.nats()));
    }
    return made;
  }

  @Test
  void learnsAndIsTheSameAfterwards() throws IOException {
    List<Integer> epochs = new ArrayList<>();
    ClassifierFolder made = new ClassifierFolder(folder.resolve("bars"));
    made.create();
    Classifier.Score score;
    try (ClassifierTrainer trainer = new ClassifierTrainer(Bars.CONFIG, 1, BARS, device, 2)) {
      assertEquals(8 * (480 / 32), trainer.totalSteps());
      double before = trainer.classifier().score(BARS.heldOut()).confusion().share();
      assertTrue(before < 0.8, "before training it guesses: " + before);
      score = trainer.run((epoch, nats, heldOut, speed) -> epochs.add(epoch));
      DataInfo data = new DataInfo("bars", "bars", "", 480, 200);
      trainer.write(
          made, new ClassifierInfo("test", 1, data, score.confusion().share(), score.nats()));
    }
    assertTrue(score.confusion().share() > 0.9, score.confusion().rows() + " seed " + SEED);
    assertTrue(score.nats() < 0.4, score.nats() + " seed " + SEED);
    assertEquals(List.of(1, 2, 3, 4, 5, 6, 7, 8), epochs);
    try (Classifier again = Classifier.open(made, device, 3)) {
      Classifier.Score now = again.score(BARS.heldOut());
      assertEquals(score.confusion().rows(), now.confusion().rows());
      assertEquals(score.nats(), now.nats());
    }
    assertEquals(480, SeenImages.read(made.trainedOn()).countIn(BARS.train()));
    assertEquals(score.nats(), made.readInfo().nats());
  }

  @Test
  void theSameBytesForAnyNumberOfThreads() throws IOException {
    ClassifierFolder one = trained("one", 7, 1);
    ClassifierFolder three = trained("three", 7, 3);
    for (String file : List.of("model.safetensors", "classifier.json", "config.json")) {
      assertArrayEquals(
          Files.readAllBytes(one.path().resolve(file)),
          Files.readAllBytes(three.path().resolve(file)),
          file);
    }
    ClassifierFolder other = trained("other", 8, 3);
    assertFalse(Arrays.equals(Files.readAllBytes(one.model()), Files.readAllBytes(other.model())));
    try (Classifier single = Classifier.open(one, device, 1);
        Classifier many = Classifier.open(one, device, 4)) {
      Classifier.Answer a = single.classify(BARS.heldOut());
      Classifier.Answer b = many.classify(BARS.heldOut());
      assertArrayEquals(a.classes(), b.classes());
      assertArrayEquals(a.features(), b.features());
      assertArrayEquals(a.logProbabilities(), b.logProbabilities());
    }
  }

  @Test
  void aBatchInPartsHasTheGradientsOfTheWholeBatch() {
    ClassifierConfig still =
        Bars.CONFIG.withTraining(new ClassifierConfig.TrainingConfig(32, 1, 0.003, 0));
    int[] indices = IntStream.range(100, 132).toArray();
    try (ClassifierTrainer trainer = new ClassifierTrainer(still, 5, BARS, device, 2);
        Stream stream = device.openStream(1);
        Workspace workspace = new Workspace(device, 0);
        ClassifierNetwork whole = new ClassifierNetwork(still, stream, 5)) {
      trainer.step(indices); // afterwards all parts must have the new weights
      trainer
          .network()
          .parameters()
          .byName()
          .forEach(
              (name, p) -> stream.copy(whole.parameters().byName().get(name).value(), p.value()));
      double loss = trainer.gradients(indices, 1);
      Pass pass = new Pass(stream, workspace);
      ImageDataset images = BARS.train().select("batch", indices);
      float[] pixels = new float[images.count() * images.imageSize()];
      Pixels.read(images, 0, images.count(), pixels);
      Tensor x = pass.allocate(Shape.of(32, Bars.SIDE, Bars.SIDE, 1));
      x.copyFrom(stream, pixels);
      Tensor targets = pass.allocate(Shape.of(32), DataType.I32);
      targets.copyFrom(stream, MemorySegment.ofArray(Classifier.labels(images)));
      Tensor logits = whole.forward(pass, x);
      Tensor mean = pass.allocate(Shape.of(1), DataType.F64);
      Ops.softmaxCrossEntropy(stream, logits, targets, mean, logits);
      whole.backward(pass, logits);
      assertEquals(mean.toDouble(stream), loss, 1e-6, "seed " + SEED);
      Map<String, Parameter> parts = trainer.network().parameters().byName();
      whole
          .parameters()
          .byName()
          .forEach(
              (name, p) -> {
                float[] expected = p.gradient().toFloats(stream);
                float[] actual = parts.get(name).gradient().toFloats(stream);
                double most = 0;
                for (float v : expected) {
                  most = Math.max(most, Math.abs(v));
                }
                assertTrue(most > 0, name + " has no gradient, seed " + SEED);
                for (int i = 0; i < expected.length; i++) {
                  assertEquals(expected[i], actual[i], 1e-5 * most, name + " seed " + SEED);
                }
              });
    }
  }

  @Test
  void probabilitiesAddUpToOneAndTheLikeliestIsNamed() throws IOException {
    try (Classifier classifier = Classifier.open(trained("p", 2, 2), device, 2)) {
      Classifier.Answer answer = classifier.classify(BARS.heldOut());
      assertEquals(200 * 24, answer.features().length);
      for (int i = 0; i < 200; i++) {
        double sum = 0;
        for (int c = 0; c < 3; c++) {
          double logarithm = answer.logProbabilities()[i * 3 + c];
          assertTrue(logarithm <= answer.logProbabilities()[i * 3 + answer.classes()[i]]);
          sum += Math.exp(logarithm);
        }
        assertEquals(1, sum, 1e-12);
      }
    }
  }

  @Test
  void whatDoesNotFitIsRefused() throws IOException {
    ImageDataset small = BARS.train().slice("few", 0, 31);
    refused(() -> trainer(new DatasetSplit("few", small, BARS.heldOut(), null)), "fill a batch");
    ImageDataset bare = Bars.relabelled(BARS.train(), null);
    refused(() -> trainer(new DatasetSplit("bare", bare, BARS.heldOut(), null)), "no labels");
    byte[] far = new byte[200];
    far[77] = 3;
    ImageDataset wrong = Bars.relabelled(BARS.heldOut(), far);
    refused(
        () -> trainer(new DatasetSplit("far", BARS.train(), wrong, null)), "label 3 at image 77");
    ImageDataset wide =
        ImageDataset.of("wide", 12, 16, 1, MemorySegment.ofArray(new byte[12 * 16 * 40]), null);
    ClassifierFolder made = trained("fit", 1, 2);
    try (Classifier classifier = Classifier.open(made, device, 1)) {
      refused(() -> classifier.classify(wide), "12x12x1");
    }
    assertTrue(malformed(made::create).contains("already"));
    ClassifierFolder nothing = new ClassifierFolder(folder.resolve("nothing"));
    assertTrue(malformed(() -> Classifier.open(nothing, device, 1)).contains("train-classifier"));
    byte[] weights = Files.readAllBytes(made.model());
    Files.write(made.model(), Arrays.copyOf(weights, weights.length / 2));
    assertTrue(malformed(() -> Classifier.open(made, device, 1)).contains("model.safetensors"));
  }

  @Test
  void configurationsAreChecked() {
    refused(() -> ClassifierConfig.named("minst"), "mnist");
    refused(() -> new ClassifierConfig.TrainingConfig(30, 1, 0.01, 0), "multiple of 4");
    refused(() -> new ClassifierConfig.TrainingConfig(32, 0, 0.01, 0), "training.epochs");
    refused(() -> new ClassifierConfig.TrainingConfig(32, 1, Double.NaN, 0), "learning_rate");
    refused(() -> new ClassifierConfig.TrainingConfig(32, 1, 0.01, 9), "training.shift");
    refused(() -> new ClassifierConfig.NetworkConfig(1, 1, 0), "network.features");
    ClassifierConfig mnist = ClassifierConfig.named("mnist");
    refused(
        () -> new ClassifierConfig("x", mnist.image(), 1, mnist.network(), mnist.training()),
        "classes");
  }

  @SuppressWarnings("MustBeClosedChecker")
  private static void trainer(DatasetSplit data) {
    new ClassifierTrainer(Bars.CONFIG, 1, data, device, 1).close();
  }

  private static void refused(org.junit.jupiter.api.function.Executable what, String word) {
    String message =
        String.valueOf(assertThrows(IllegalArgumentException.class, what).getMessage());
    assertTrue(message.contains(word), message);
  }

  private static String malformed(org.junit.jupiter.api.function.Executable what) {
    return String.valueOf(assertThrows(MalformedFileException.class, what).getMessage());
  }
}
