package dev.tessera.bindgen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the generator refuses it refuses with file and line; what it takes it writes completely. */
class GeneratorTest {
  private static Map<String, String> generate(String text) throws HeaderException {
    return Main.generate("x.h", text, "p", "x_h");
  }

  private static String messageFor(String text) {
    return assertThrows(HeaderException.class, () -> generate(text)).getMessage();
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        "typedef union u { int a; } u;                  | unions are not supported",
        "typedef struct s { union { int a; } b; } s;    | a nested union is not supported",
        "typedef struct s { struct { int a; } b; } s;   | a nested struct is not supported",
        "typedef struct s { int32_t a : 3; } s;         | bit-field a is not supported",
        "typedef struct s { int32_t (*f)(void); } s;    | function pointers (callbacks)",
        "typedef void (*callback)(void);                | a typedef of 'void' is not supported",
        "void f(void (*done)(int32_t));                 | function pointers (callbacks)",
        "void f(int32_t n, ...);                        | variable arguments are not supported",
        "void f();                                      | write f(void)",
        "void f(size_t n);                              | unknown type 'size_t'",
        "void f(unsigned n);                            | unknown type 'unsigned'",
        "missing f(void);                               | unknown type 'missing'",
        "void f(int32_t a[4]);                          | array parameter a is not supported",
        "void f(int32_t);                               | expected a parameter's name, found ')'",
        "int32_t counter;                               | no variable counter",
        "extern int32_t f(void);                        | 'extern' is not supported here",
        "typedef struct s { int32_t a[2][3]; } s;       | more than one dimension",
        "typedef struct s { int32_t a[N]; } s;          | 'N' is no known integer constant",
        "typedef struct s { int32_t a[0]; } s;          | array a has no elements",
        "typedef struct s { int32_t a, a; } s;          | field a is declared twice",
        "typedef struct s { } s;                        | s has no fields",
        "typedef struct s { int32_t a; } t;             | must have its tag's name, s",
        "typedef struct s s; void f(s x);               | a parameter of type s is not supported",
        "void f(void); void f(void);                    | f is declared twice",
        "typedef enum e { A = 1, B = X } e;             | 'X' is no known integer constant",
        "typedef enum e { A, A } e;                     | A is declared twice",
        "typedef enum e { A = 99999999999 } e;          | is no integer that fits an int",
        "void f(int32_t a) int32_t b;                   | expected ';', found 'int32_t'",
        "void f(int32_t a                               | expected ')', found the end of the file",
        "#define MAX(a, b) a                            | function-like macro MAX is not supported",
        "#define PI 3.14                                | macro PI must be one integer",
        "#define MODE 0644                              | octal number 0644 is not understood",
        "#include <stdio.h>                             | may include <stdint.h> alone",
        "#if 1                                          | #if 1 is not understood",
        "#pragma once                                   | #pragma once is not understood",
        "#ifdef __cplusplus                             | an #if without its #endif",
        "/* no end                                      | a comment without an end",
        "void f(int32_t a @ b);                         | character '@' is not understood",
      })
  void refusesWithFileAndLine(String declarationAndMessage) {
    int bar = declarationAndMessage.indexOf('|');
    String declaration = declarationAndMessage.substring(0, bar).strip();
    String expected = declarationAndMessage.substring(bar + 1).strip();
    String message = messageFor("/* a\n comment */\n\n" + declaration + "\n");
    assertTrue(message.startsWith("x.h:4: ") || message.startsWith("x.h:5: "), message);
    assertTrue(message.contains(expected), message);
  }

  @Test
  void namesTheLineOfTheFaultNotOfTheDeclaration() {
    String message = messageFor("typedef struct s {\n  int32_t a;\n  // two\n  long b;\n} s;\n");
    assertEquals("x.h:4: unknown type 'long'", message);
  }

  @Test
  void enumConstantsCountOnFromTheLastValue() throws HeaderException {
    Header header =
        Parser.parse("x.h", "#define N 0x10\ntypedef enum e { A, B = N, C, D = -2, E } e;");
    assertEquals(
        "A=0 B=16 C=17 D=-2 E=-1",
        String.join(
            " ", header.constants().stream().map(c -> c.name() + "=" + c.value()).toList()));
  }

  @Test
  void cPlusPlusBlocksAndCommentsAreSkipped() throws HeaderException {
    String text =
        """
        #ifndef X_H /* guard */
        #define X_H
        #include <stdint.h>
        #ifdef __cplusplus
        extern "C" {
        #endif
        void f(void); // union
        #ifdef __cplusplus
        }
        #endif
        #endif /* X_H */
        """;
    assertEquals(1, Parser.parse("x.h", text).functions().size());
  }

  @Test
  void structsGetThePaddingThatCPutsBetweenAndBehindFields() throws HeaderException {
    String source =
        generate("typedef struct s { int8_t a; double b; const char *c; int16_t d; } s;")
            .getOrDefault("s.java", "");
    assertTrue(
        source.contains(
            """
                    x_h.C_CHAR.withName("a"),
                    MemoryLayout.paddingLayout(7),
                    x_h.C_DOUBLE.withName("b"),
                    x_h.C_POINTER.withName("c"),
                    x_h.C_SHORT.withName("d"),
                    MemoryLayout.paddingLayout(6)
                ).withName("s");
            """),
        source);
  }

  @Test
  void wordsThatJavaReservesGetAnUnderscore() throws HeaderException {
    String source = generate("void f(int32_t new, int32_t b);").getOrDefault("x_h.java", "");
    assertTrue(source.contains("public static void f(int new_, int b)"), source);
    assertTrue(source.contains("mh$.invokeExact(new_, b);"), source);
  }
}
