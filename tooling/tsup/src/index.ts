import { defineConfig } from 'tsup'
import { carried } from './carried.ts'
import { omitted } from './omitted.ts'

export interface PresetOptions {
  /**
   * For packages that carry an engine inside of them (docs/decisions/0007): what is a devDependency and imported is bundled,
   * what is a dependency stays outside. These modules, and all below them, are left out; importing one fails at run time.
   */
  readonly bundle?: {
    readonly omit: readonly string[]
    /** Dependencies that are bundled all the same: Node loads a few files instead of hundreds. Their types stay theirs. */
    readonly carry?: readonly RegExp[] | undefined
  }
}

// Modules of the old kind call `require` for Node's own modules, which ESM does not have.
const requireBanner =
  "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url);"

const common = {
  format: 'esm',
  target: 'es2023',
  clean: true,
  // tsup 9 cannot emit declarations under TypeScript 7: `tsc -p tsconfig.build.json` does, after it (docs/decisions/0002).
  dts: false,
  sourcemap: true,
  // The package has `src` beside it: the maps need not hold it again.
  esbuildOptions: (options: { sourcesContent?: boolean }) => {
    options.sourcesContent = false
  },
  splitting: true,
  // What nobody calls is dropped by esbuild already; a second pass is slow and gains little.
  treeshake: false
} as const

/** The one build preset. Another bundler would change this folder only. */
export function preset(entry: string[], { bundle }: PresetOptions = {}): ReturnType<typeof defineConfig> {
  return defineConfig({
    ...common,
    entry,
    platform: bundle === undefined ? 'neutral' : 'node',
    // Of the build for all runtimes, too: what is a devDependency and imported is inside.
    ...(bundle === undefined && { esbuildPlugins: [carried()] }),
    // Some runtimes know built-in modules by their prefixed name only.
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
 * The same package for browsers, in `dist/browser`, after the one for Node. It carries what is a devDependency and imported, and these
 * dependencies, in the form that those packages have for browsers, so that an app's bundler needs no configuration.
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
