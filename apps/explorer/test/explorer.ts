import { buildPage, isPageBuilt } from '@p2pl/ledger'
import axe from 'axe-core'
import type { Browser, ConsoleMessage, Page } from 'playwright-core'

export interface Explorer {
  readonly page: Page
  /** Uncaught errors, and errors that the browser wrote to the console, including refusals by the page's policy. */
  readonly problems: string[]
  readonly show: (view: string) => Promise<void>
  /** Each accessibility rule that the page violates, and where. */
  readonly violations: () => Promise<string[]>
  readonly close: () => Promise<void>
}

export interface ExplorerOptions {
  readonly url: string
  readonly dark?: boolean
  readonly width?: number
  readonly still?: boolean
}

/** The page as it is delivered. Builds it if its sources are newer. */
export async function ensureBuilt(): Promise<void> {
  if (!(await isPageBuilt())) await buildPage()
}

export async function openExplorer(browser: Browser, options: ExplorerOptions): Promise<Explorer> {
  const { url, dark = false, width = 1_100, still = false } = options
  const context = await browser.newContext({
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: still ? 'reduce' : 'no-preference',
    viewport: { width, height: 800 }
  })
  await context.addInitScript({ content: axe.source })
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.stack ?? error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !isOfNodeThatIsAway(message)) problems.push(message.text())
  })
  await page.goto(url)
  await page.getByRole('navigation').waitFor()
  return {
    page,
    problems,
    show: async (view) => {
      await page.getByRole('link', { name: view, exact: true }).click()
      await page.getByRole('heading', { level: 1, name: view }).waitFor({ state: 'attached' })
    },
    violations: async () =>
      await page.evaluate(async () => {
        const { axe: inPage } = globalThis as unknown as { axe: Axe }
        const { violations } = await inPage.run()
        return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
      }),
    close: async () => await context.close()
  }
}

/**
 * A request to a node at the moment of its kill is answered with 503, and a page that is a peer may dial the former address of a
 * node that was started again. The browser logs both, whatever the page does.
 */
function isOfNodeThatIsAway(message: ConsoleMessage): boolean {
  const text = message.text()
  if (text.includes('WebSocket') && text.includes('ERR_CONNECTION_REFUSED')) return true
  return text.includes('status of 503') && /\/v1\/nodes\/[^/]+\//.test(message.location().url)
}

interface Axe {
  run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>
}
