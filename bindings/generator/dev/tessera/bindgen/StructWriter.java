package dev.tessera.bindgen;

import dev.tessera.bindgen.Header.Field;
import dev.tessera.bindgen.Header.Struct;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** Writes the class of one struct: its layout, accessors of its fields, and allocation. */
final class StructWriter {
  private final JavaFile file;
  private final String headerClass;
  private final Struct struct;

  private StructWriter(JavaFile file, String headerClass, Struct struct) {
    this.file = file;
    this.headerClass = headerClass;
    this.struct = struct;
  }

  static String write(String packageName, String headerClass, Struct struct) {
    JavaFile file = new JavaFile(packageName);
    new StructWriter(file, headerClass, struct).run();
    return file.toString();
  }

  private void run() {
    String fields =
        struct.fields().stream()
            .map(field -> "    " + field.declaration() + ";\n")
            .collect(Collectors.joining());
    file.outer(
        JavaFile.comment(
            "", "struct " + struct.name() + " {\n" + fields + "}", UnaryOperator.identity()));
    file.outer("public class %s {\n\n".formatted(struct.name()));
    layout();
    for (Field field : struct.fields()) {
      fieldConstants(field);
      if (field.count().isPresent()) {
        arrayAccessors(field);
      } else {
        valueAccessors(field);
      }
    }
    allocation();
    file.outer("}\n\n");
  }

  private void layout() {
    file.member(
        """
        %s() {
            // Should not be called directly
        }

        private static final GroupLayout $LAYOUT = MemoryLayout.structLayout(
            %s
        ).withName("%s");

        /**
         * The layout of this struct
         */
        public static final GroupLayout layout() {
            return $LAYOUT;
        }
        """
            .formatted(struct.name(), String.join(",\n    ", memberLayouts()), struct.name()));
  }

  /** The fields' layouts with the padding that C puts between and behind them. */
  private List<String> memberLayouts() {
    List<String> layouts = new ArrayList<>();
    long offset = 0;
    long alignment = 1;
    for (Field field : struct.fields()) {
      offset = pad(layouts, offset, field.type().alignment());
      alignment = Math.max(alignment, field.type().alignment());
      String element = headerClass + "." + field.type().layout();
      String layout =
          field.count().isPresent()
              ? "MemoryLayout.sequenceLayout(" + field.count().getAsLong() + ", " + element + ")"
              : element;
      layouts.add(layout + ".withName(\"" + field.name() + "\")");
      offset += field.size();
    }
    pad(layouts, offset, alignment);
    return layouts;
  }

  private static long pad(List<String> layouts, long offset, long alignment) {
    long padded = (offset + alignment - 1) / alignment * alignment;
    if (padded > offset) {
      layouts.add("MemoryLayout.paddingLayout(" + (padded - offset) + ")");
    }
    return padded;
  }

  private void fieldConstants(Field field) {
    String name = JavaFile.javaName(field.name());
    String type = field.count().isPresent() ? "SequenceLayout" : field.type().layoutType();
    file.outer("\n");
    file.member(
        "private static final %1$s %2$s$LAYOUT = (%1$s)$LAYOUT.select(groupElement(\"%3$s\"));\n"
            .formatted(type, name, field.name()));
    file.outer("\n");
    file.comment("Layout for field:", field.declaration());
    file.member(
        """
        public static final %1$s %2$s$layout() {
            return %2$s$LAYOUT;
        }
        """
            .formatted(type, name));
    file.outer("\n");
    file.member(
        "private static final long %1$s$OFFSET = $LAYOUT.byteOffset(groupElement(\"%2$s\"));\n"
            .formatted(name, field.name()));
    file.outer("\n");
    file.comment("Offset for field:", field.declaration());
    file.member(
        """
        public static final long %1$s$offset() {
            return %1$s$OFFSET;
        }
        """
            .formatted(name));
  }

  private void valueAccessors(Field field) {
    accessors(
        field,
        field.type().carrier(),
        "return struct.get(%1$s$LAYOUT, %1$s$OFFSET);",
        "struct.set(%1$s$LAYOUT, %1$s$OFFSET, fieldValue);");
  }

  private void arrayAccessors(Field field) {
    accessors(
        field,
        "MemorySegment",
        "return struct.asSlice(%1$s$OFFSET, %1$s$LAYOUT.byteSize());",
        "MemorySegment.copy(fieldValue, 0L, struct, %1$s$OFFSET, %1$s$LAYOUT.byteSize());");
    String name = JavaFile.javaName(field.name());
    file.outer("\n");
    file.member(
        "private static long[] %s$DIMS = { %d };\n".formatted(name, field.count().getAsLong()));
    file.outer("\n");
    file.comment("Dimensions for array field:", field.declaration());
    file.member(
        """
        public static long[] %1$s$dimensions() {
            return %1$s$DIMS;
        }
        """
            .formatted(name));
  }

  private void accessors(Field field, String type, String getter, String setter) {
    String name = JavaFile.javaName(field.name());
    file.outer("\n");
    file.comment("Getter for field:", field.declaration());
    file.member(
        """
        public static %1$s %2$s(MemorySegment struct) {
            %3$s
        }
        """
            .formatted(type, name, getter.formatted(name)));
    file.outer("\n");
    file.comment("Setter for field:", field.declaration());
    file.member(
        """
        public static void %2$s(MemorySegment struct, %1$s fieldValue) {
            %3$s
        }
        """
            .formatted(type, name, setter.formatted(name)));
  }

  private void allocation() {
    file.member(
        """

        /**
         * Obtains a slice of {@code arrayParam} which selects the array element at {@code index}.
         * The returned segment has address {@code arrayParam.address() + index * layout().byteSize()}
         */
        public static MemorySegment asSlice(MemorySegment array, long index) {
            return array.asSlice(layout().byteSize() * index);
        }

        /**
         * The size (in bytes) of this struct
         */
        public static long sizeof() { return layout().byteSize(); }

        /**
         * Allocate a segment of size {@code layout().byteSize()} using {@code allocator}
         */
        public static MemorySegment allocate(SegmentAllocator allocator) {
            return allocator.allocate(layout());
        }

        /**
         * Allocate an array of size {@code elementCount} using {@code allocator}.
         * The returned segment has size {@code elementCount * layout().byteSize()}.
         */
        public static MemorySegment allocateArray(long elementCount, SegmentAllocator allocator) {
            return allocator.allocate(MemoryLayout.sequenceLayout(elementCount, layout()));
        }

        /**
         * Reinterprets {@code addr} using target {@code arena} and {@code cleanupAction} (if any).
         * The returned segment has size {@code layout().byteSize()}
         */
        public static MemorySegment reinterpret(MemorySegment addr, Arena arena, Consumer<MemorySegment> cleanup) {
            return reinterpret(addr, 1, arena, cleanup);
        }

        /**
         * Reinterprets {@code addr} using target {@code arena} and {@code cleanupAction} (if any).
         * The returned segment has size {@code elementCount * layout().byteSize()}
         */
        public static MemorySegment reinterpret(MemorySegment addr, long elementCount, Arena arena, Consumer<MemorySegment> cleanup) {
            return addr.reinterpret(layout().byteSize() * elementCount, arena, cleanup);
        }
        """);
  }
}
