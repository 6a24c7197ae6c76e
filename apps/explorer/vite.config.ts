import type { UserConfig } from 'vite'

const config: UserConfig = {
  // From source, so that nothing else has to be built before.
  resolve: { conditions: ['@p2pl/source', 'browser', 'module', 'import', 'default'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2024',
    // Everything is a separate file, because the page's policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2_000
  }
}

export default config
