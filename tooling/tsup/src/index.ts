import { defineConfig } from 'tsup'

/**
 * The one build preset. tsup 9 cannot emit declarations under TypeScript 7, so `tsc -p tsconfig.build.json` does that
 * after it (docs/decisions/0002). Whoever swaps the bundler changes this file only.
 */
export function preset(entry: string[]): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry,
    format: 'esm',
    target: 'es2023',
    platform: 'neutral',
    clean: true,
    dts: false,
    sourcemap: true,
    splitting: true,
    // Some runtimes know built-in modules by their prefixed name only.
    removeNodeProtocol: false,
    external: [/^node:/],
    treeshake: false
  })
}
