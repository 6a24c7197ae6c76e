import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { describeInChromium, openBrowser } from '@p2pl/tooling-vitest/browser'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serve } from './serve.ts'

const folder = temporaryFolder()
/** The HTML of each page by its path on the site: `/guide/start.html`. */
const pages = new Map<string, string>()
const files = new Set<string>()

beforeAll(async () => {
  // In a separate process, because the page compiler treats NODE_ENV=test as another mode.
  const { NODE_ENV: _mode, VITEST: _vitest, NODE_OPTIONS: _options, ...env } = process.env
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  await promisify(execFile)(process.execPath, [main, folder], { env })
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = `/${relative(folder, join(entry.parentPath, entry.name))}`
    files.add(path)
    if (path.endsWith('.html')) pages.set(path, readFileSync(join(folder, path), 'utf8'))
  }
}, 300_000)

const attributes = (html: string, name: string): string[] =>
  [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g'))].map(([, value = '']) => value.replaceAll('&amp;', '&'))

describe('the site', () => {
  it('has its pages', () => {
    const expected = [
      '/index.html',
      '/guide/start.html',
      '/packages/core.html',
      '/reference/api/@p2pl/core/backend.html'
    ]
    expect([...pages.keys()]).toEqual(expect.arrayContaining(expected))
    expect(pages.size).toBeGreaterThan(90)
  })

  it('has no link that leads nowhere, anchors included', () => {
    const ids = new Map([...pages].map(([path, html]) => [path, new Set(attributes(html, 'id'))]))
    const wrong = [...pages].flatMap(([path, html]) =>
      [...new Set([...attributes(html, 'href'), ...attributes(html, 'src')])]
        .filter((href) => !/^[a-z]+:/.test(href))
        .filter((href) => {
          const [target = '', anchor = ''] = href.split('#')
          const file = target === '' ? path : target.startsWith('/') ? target : join(dirname(path), target)
          const page = file.endsWith('/') ? `${file}index.html` : file
          return !files.has(page) || (anchor !== '' && ids.get(page)?.has(decodeURIComponent(anchor)) === false)
        })
        .map((href) => `${path} links to ${href}`)
    )
    expect(wrong).toEqual([])
  })

  it('loads nothing from elsewhere', () => {
    const foreign = [...pages.values()].flatMap((html) => [
      ...attributes(html, 'src').filter((src) => /^(?:[a-z]+:)?\/\//.test(src)),
      ...[...html.matchAll(/<link [^>]*href="((?:[a-z]+:)?\/\/[^"]+)"/g)].map(([, href]) => href)
    ])
    expect(foreign).toEqual([])
  })

  it('shows the figures of the backends, and no mark of a part that was not put in', () => {
    const backends = pages.get('/guide/backends.html') ?? ''
    expect(backends).toContain('a provider record lives')
    expect(backends).toMatch(/Measured: |No run has been recorded/)
    expect(
      [...pages].filter(([, html]) => /@include|&lt;&lt;&lt; |<!-- measured/.test(html)).map(([path]) => path)
    ).toEqual([])
  })
})

const looks = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  phone: { colorScheme: 'light', viewport: { width: 360, height: 740 } }
} as const

/**
 * Opens a page and waits until its program runs. The program loads the content's module first, so earlier clicks are
 * lost.
 */
async function open(page: Page, url: string): Promise<void> {
  await page.goto(url, { waitUntil: 'load' })
  await page.waitForFunction(() => '__vue_app__' in (document.querySelector('#app') ?? {}))
}

describeInChromium('in a real browser', () => {
  const shown = ['index', 'guide/start', 'guide/backends', 'packages/layers', 'reference/api/@p2pl/store']
  let site: Awaited<ReturnType<typeof serve>>
  let browser: Browser

  beforeAll(async () => {
    site = await serve(folder)
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser.close()
    site.close()
  })

  it.each(Object.keys(looks) as (keyof typeof looks)[])('is accessible, and asks no other host: %s', async (look) => {
    const context = await browser.newContext(looks[look])
    const problems: string[] = []
    context.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    context.on('weberror', (error) => problems.push(String(error.error())))
    context.on('request', (request) => request.url().startsWith(site.url) || problems.push(request.url()))
    const page = await context.newPage()
    // The pages with the largest trees look the same in the other two.
    for (const path of look === 'light' ? shown : shown.slice(0, 3)) {
      await open(page, `${site.url}/${path}.html`)
      await page.addScriptTag({ content: axe.source })
      const violations = await page.evaluate(async () => {
        const found = await (globalThis as unknown as { axe: typeof axe }).axe.run()
        return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
      })
      expect(violations, path).toEqual([])
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect(tooWide, `${path} is wider than the window`).toBeLessThanOrEqual(0)
    }
    expect(problems).toEqual([])
    await context.close()
  })

  it('finds a word without a server, and keeps its landmarks from page to page', async () => {
    const page = await browser.newPage()
    await open(page, `${site.url}/index.html`)
    await page.keyboard.press('Control+k')
    await page.fill('#localsearch-input', 'OVERLOADED')
    await page.locator('#localsearch-list a[href*="troubleshooting"]').first().click()
    await page.waitForURL(/troubleshooting/)
    expect(await page.locator('main, [role=main]').count()).toBe(1)
    await page.locator('.VPNavBarTitle a').first().click()
    await page.waitForURL(/index\.html|\/$/)
    await page.locator('.VPHome').waitFor()
    expect(await page.locator('main, [role=main]').count()).toBe(1)
    await page.close()
  })
})
