/**
 * Writes the Java bindings of a C header in the shape of jextract, which is in no package registry.
 *
 * <p>Runs in the build by the source launcher ({@code java Main.java}), so it uses nothing but the
 * JDK. {@link dev.tessera.bindgen.Lexer} turns the header into tokens, {@link
 * dev.tessera.bindgen.Parser} into declarations, and the writers into Java. Whatever is not
 * understood stops the build with file and line: a binding that is silently missing or wrong would
 * be found much later.
 *
 * <p>What is understood is what {@code tessera.h} promises to be: fixed-width integers, {@code
 * float}, {@code double}, {@code char}, pointers, enums, plain structs, functions and integer
 * macros. What is written is a subset of jextract's output: nothing for {@code stdint.h}, and no
 * indexed accessors of array fields, because released versions of jextract ignore the field's
 * offset in them; {@code field(segment)} gives the array as a slice.
 */
@NullMarked
package dev.tessera.bindgen;

import org.jspecify.annotations.NullMarked;
