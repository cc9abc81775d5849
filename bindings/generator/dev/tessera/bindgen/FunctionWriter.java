package dev.tessera.bindgen;

import dev.tessera.bindgen.Header.Function;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Writes the members of one function: its holder, its three accessors, and the call. */
final class FunctionWriter {
  private final JavaFile file;
  private final String headerClass;

  FunctionWriter(JavaFile file, String headerClass) {
    this.file = file;
    this.headerClass = headerClass;
  }

  void write(Function function) {
    String name = JavaFile.javaName(function.name());
    holder(function, name);
    accessor(
        function, name, "Function descriptor for:", "FunctionDescriptor", "descriptor", "DESC");
    accessor(function, name, "Downcall method handle for:", "MethodHandle", "handle", "HANDLE");
    accessor(function, name, "Address for:", "MemorySegment", "address", "ADDR");
    call(function, name);
  }

  private void holder(Function function, String name) {
    boolean isVoid = function.result().equals(Parser.VOID);
    List<String> layouts = new ArrayList<>();
    if (!isVoid) {
      layouts.add(headerClass + "." + function.result().layout());
    }
    function.parameters().forEach(p -> layouts.add(headerClass + "." + p.type().layout()));
    file.member(
        """

        private static class %1$s {
            public static final FunctionDescriptor DESC = FunctionDescriptor.%2$s(
                %3$s
            );

            public static final MemorySegment ADDR = SYMBOL_LOOKUP.findOrThrow("%4$s");

            public static final MethodHandle HANDLE = Linker.nativeLinker().downcallHandle(ADDR, DESC);
        }
        """
            .formatted(
                name,
                isVoid ? "ofVoid" : "of",
                String.join(",\n        ", layouts),
                function.name()));
  }

  private void accessor(
      Function function, String name, String heading, String type, String suffix, String constant) {
    file.outer("\n");
    file.comment(heading, function.declaration());
    file.member(
        """
        public static %1$s %2$s$%3$s() {
            return %2$s.%4$s;
        }
        """
            .formatted(type, name, suffix, constant));
  }

  private void call(Function function, String name) {
    List<String> names =
        function.parameters().stream().map(p -> JavaFile.javaName(p.name())).toList();
    String declared =
        function.parameters().stream()
            .map(p -> p.type().carrier() + " " + JavaFile.javaName(p.name()))
            .collect(Collectors.joining(", "));
    List<String> traced = new ArrayList<>(names);
    traced.addFirst('"' + function.name() + '"');
    String result = function.result().carrier();
    file.outer("\n");
    file.comment("", function.declaration());
    file.member(
        """
        public static %1$s %2$s(%3$s) {
            var mh$ = %2$s.HANDLE;
            try {
                if (TRACE_DOWNCALLS) {
                    traceDowncall(%4$s);
                }
                %5$smh$.invokeExact(%6$s);
            } catch (Error | RuntimeException ex) {
               throw ex;
            } catch (Throwable ex$) {
               throw new AssertionError("should not reach here", ex$);
            }
        }
        """
            .formatted(
                result,
                name,
                declared,
                String.join(", ", traced),
                function.result().equals(Parser.VOID) ? "" : "return (" + result + ")",
                String.join(", ", names)));
  }
}
