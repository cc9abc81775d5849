/** The plug-in for GPUs, on the class path as its jar has it. */
@NullMarked
package dev.tessera.cuda.plugin;

import org.jspecify.annotations.NullMarked;
