import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { describe, it } from 'vitest'

const executablePath = process.env['CHROMIUM_BIN'] ?? '/usr/bin/chromium'

/** Tests with a real browser. If there is none, one test says so: skipped, or failed in CI. */
export function describeInChromium(name: string, body: () => void): void {
  if (existsSync(executablePath)) {
    describe(name, body)
    return
  }
  describe(name, () => {
    it('needs Chromium', (context) => {
      const reason = `no Chromium at ${executablePath}: install it, or set CHROMIUM_BIN`
      if (process.env['CI'] === 'true') throw new Error(reason)
      context.skip(reason)
    })
  })
}

export type Bundle = ReadonlyMap<string, string>

/** The module and everything that it imports, in the form that a browser loads. Fails if any Node module is imported. */
export async function bundle(entry: URL): Promise<Bundle> {
  const { outputFiles } = await build({
    entryPoints: [{ in: fileURLToPath(entry), out: 'page' }],
    bundle: true,
    write: false,
    outdir: '/',
    format: 'esm',
    splitting: true,
    platform: 'browser',
    conditions: ['@p2pl/source'],
    target: 'es2024',
    logLevel: 'silent'
  })
  return new Map(outputFiles.map(({ path, text }) => [path, text]))
}

/** A page in a real browser, with the functions that its module has put on `globalThis.page`. */
export interface RemotePage {
  /** Calls one of the functions. Arguments and results are JSON, plus `undefined` and `Uint8Array`. */
  call<T>(name: string, ...values: unknown[]): Promise<T>
  reload(): Promise<void>
  /** A second tab of the same browser, with the same databases and locks. */
  openTab(): Promise<RemotePage>
  /** Closes the tab. Closing the first one closes all of its tabs. */
  close(): Promise<void>
  /** Uncaught errors, and errors that the page wrote to its console. */
  readonly problems: readonly string[]
}

export interface Site {
  /**
   * A new page in a separate context: it shares nothing with other pages, not even a database. The page can call the
   * functions by their names.
   */
  open(functions?: Readonly<Record<string, (value: unknown) => Promise<unknown>>>): Promise<RemotePage>
  close(): Promise<void>
}

/** After this long (ms), a browser or a page counts as hung. */
const patience = 100_000

/** A real browser that connects only to loopback. */
export async function openBrowser(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath,
    timeout: patience,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Two pages on one machine find each other by its loopback addresses.
      '--allow-loopback-in-peer-connection',
      '--disable-features=WebRtcHideLocalIpsWithMdns'
    ]
  })
  const newContext = browser.newContext.bind(browser)
  // This applies to its pages too, because `newPage` of a browser makes a context.
  browser.newContext = async (options) => {
    const context = await newContext(options)
    context.setDefaultTimeout(patience)
    return context
  }
  return browser
}

/**
 * Serves the bundle on loopback, which is a secure context, with these headers. Starts a browser that connects only to
 * loopback.
 */
export async function openSite(files: Bundle, headers: Readonly<Record<string, string>> = {}): Promise<Site> {
  const server = createServer((request, response) => {
    const code = files.get(request.url ?? '')
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.setHeader('content-type', code === undefined ? 'text/html' : 'text/javascript')
    response.end(code ?? '<!doctype html><meta charset="utf-8"><script type="module" src="/page.js"></script>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const browser = await openBrowser()
  return {
    open: async (functions = {}) => {
      const context = await browser.newContext()
      for (const [name, call] of Object.entries(functions)) await context.exposeFunction(name, call)
      return await openPage(await context.newPage(), url, () => context.close())
    },
    close: async () => {
      await browser.close()
      server.close()
    }
  }
}

async function openPage(page: Page, url: string, close: () => Promise<void>): Promise<RemotePage> {
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.stack ?? error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  const ready = async (): Promise<void> => {
    await page.waitForFunction(() => 'page' in globalThis)
  }
  await page.goto(url)
  await ready()
  return {
    problems,
    call: async <T>(name: string, ...values: unknown[]) =>
      (await page.evaluate(
        ([called, given]) =>
          (globalThis as unknown as { page: Record<string, (...all: unknown[]) => unknown> }).page[called]?.(...given),
        [name, values] as const
      )) as T,
    reload: async () => {
      await page.reload()
      await ready()
    },
    openTab: async () => {
      const tab = await page.context().newPage()
      return await openPage(tab, url, () => tab.close())
    },
    close
  }
}
