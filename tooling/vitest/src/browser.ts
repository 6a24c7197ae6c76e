import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { describe, it } from 'vitest'

const executablePath = process.env['CHROMIUM_BIN'] ?? '/usr/bin/chromium'

/** Tests with a real browser. Where there is none, one test says so: skipped, or failed in CI. */
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

/** The module and all that it imports, as a browser loads it. Fails where anything of Node is imported. */
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
  /** Calls one of the functions; what goes in and out is JSON, `undefined` and `Uint8Array` apart from it. */
  call<T>(name: string, ...values: unknown[]): Promise<T>
  reload(): Promise<void>
  /** A second tab of the same browser: it has the same databases and locks. */
  openTab(): Promise<RemotePage>
  /** Closes the tab, and with the first one all of its tabs. */
  close(): Promise<void>
  /** Errors that nobody caught, and what the page wrote to its console as an error. */
  readonly problems: readonly string[]
}

export interface Site {
  /**
   * A new page in a context of its own: nothing is shared with other pages, no database either. The page can call the
   * functions by their names.
   */
  open(functions?: Readonly<Record<string, (value: unknown) => Promise<unknown>>>): Promise<RemotePage>
  close(): Promise<void>
}

/** Ms after which a browser or a page hangs. */
const patience = 100_000

/** A real browser that leaves loopback for nothing. */
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
      // Two pages of one machine find each other by its loopback addresses.
      '--allow-loopback-in-peer-connection',
      '--disable-features=WebRtcHideLocalIpsWithMdns'
    ]
  })
  const newContext = browser.newContext.bind(browser)
  // For its pages, too; `newPage` of a browser makes a context.
  browser.newContext = async (options) => {
    const context = await newContext(options)
    context.setDefaultTimeout(patience)
    return context
  }
  return browser
}

/** Serves the bundle on loopback with these headers, which is a secure context, and starts a browser that leaves loopback for nothing. */
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
