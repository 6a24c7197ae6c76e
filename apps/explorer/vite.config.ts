import type { UserConfig } from 'vite'

const config: UserConfig = {
  // From source: nothing else has to be built before.
  resolve: { conditions: ['@p2pl/source', 'browser', 'module', 'import', 'default'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2024',
    // Everything is a file of its own: the page's policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2_000
  }
}

export default config
