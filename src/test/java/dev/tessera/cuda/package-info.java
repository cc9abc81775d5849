/** Tests of what needs no GPU; the rest is in the module cuda. */
@NullMarked
package dev.tessera.cuda;

import org.jspecify.annotations.NullMarked;
