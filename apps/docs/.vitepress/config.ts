import { defineConfig } from 'vitepress'
import { emptyHeaders, generatedParts, siteLinks, slugify } from '../src/markdown.ts'
import { repository } from '../src/repository.ts'
import { sidebar } from '../src/sidebar.ts'

export default defineConfig({
  title: 'p2pl',
  description: 'Send messages and fetch data on any decentralized network, behind one small port.',
  srcDir: 'pages',
  outDir: 'dist',
  cacheDir: '.vitepress/cache',
  lastUpdated: false,
  // A broken link fails the build.
  ignoreDeadLinks: false,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: '/p2pl.svg' }]],
  markdown: {
    anchor: { slugify },
    config: (markdown) => {
      siteLinks(markdown)
      emptyHeaders(markdown)
    }
  },
  // The theme's start page has no main landmark; `theme/index.ts` keeps it when the page changes.
  transformHtml: (html) => html.replace('<div class="VPContent is-home"', '<div role="main" class="VPContent is-home"'),
  // API pages are large.
  vite: { plugins: [generatedParts], build: { chunkSizeWarningLimit: 4_000 } },
  themeConfig: {
    logo: '/p2pl.svg',
    nav: [
      { text: 'Start', link: '/guide/start' },
      { text: 'Guide', link: '/guide/backends' },
      { text: 'API', link: '/reference/api/' },
      { text: 'Decisions', link: '/decisions/all' }
    ],
    sidebar: sidebar(),
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: repository }],
    footer: { message: 'MIT or Apache-2.0, as you like.' }
  }
})
