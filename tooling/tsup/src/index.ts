import { defineConfig } from 'tsup'
import { carried } from './carried.ts'
import { omitted } from './omitted.ts'

export interface PresetOptions {
  /**
   * For packages that carry their engine (docs/decisions/0007): imported devDependencies are bundled, dependencies stay
   * outside. The modules named here, and everything below them, are left out; importing one fails at run time.
   */
  readonly bundle?: {
    readonly omit: readonly string[]
    /**
     * Dependencies that are bundled nevertheless, because Node then loads a few files instead of hundreds. Their types
     * stay in the dependencies.
     */
    readonly carry?: readonly RegExp[] | undefined
  }
}

// CommonJS modules call `require` for Node's own modules, which ESM does not have.
const requireBanner =
  "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url);"

const common = {
  format: 'esm',
  target: 'es2023',
  clean: true,
  // tsup 9 cannot emit declarations under TypeScript 7: `tsc -p tsconfig.build.json` does this afterwards
  // (docs/decisions/0002).
  dts: false,
  sourcemap: true,
  // The package contains `src`, so the source maps need not contain it again.
  esbuildOptions: (options: { sourcesContent?: boolean }) => {
    options.sourcesContent = false
  },
  splitting: true,
  // esbuild already drops unused code. A second pass is slow and gains little.
  treeshake: false
} as const

/** The single build preset. To use another bundler, change only this folder. */
export function preset(entry: string[], { bundle }: PresetOptions = {}): ReturnType<typeof defineConfig> {
  return defineConfig({
    ...common,
    entry,
    platform: bundle === undefined ? 'neutral' : 'node',
    // In the build for all runtimes too, imported devDependencies are inside.
    ...(bundle === undefined && { esbuildPlugins: [carried()] }),
    // Some runtimes know built-in modules only by their prefixed names.
    removeNodeProtocol: false,
    external: [/^node:/],
    noExternal: [...(bundle?.carry ?? [])],
    ...(bundle !== undefined && {
      banner: { js: requireBanner },
      esbuildPlugins: [omitted(bundle.omit), carried()]
    })
  })
}

/**
 * The same package for browsers, in `dist/browser`, built after the one for Node. It contains the imported
 * devDependencies and the `carry` dependencies in their browser form, so that an app's bundler needs no configuration.
 */
export function browserPreset(entry: string[], carry: RegExp[] = []): ReturnType<typeof defineConfig> {
  return defineConfig({
    ...common,
    entry,
    outDir: 'dist/browser',
    platform: 'browser',
    noExternal: carry,
    esbuildPlugins: [carried()]
  })
}
