import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { createData } from '../../src/data/data.ts'
import { contextOf, StoreBackend } from '../data/store-backend.ts'
import type { PageResult } from './page.ts'

const executablePath = process.env['CHROMIUM_BIN'] ?? '/usr/bin/chromium'
const size = 3 * 1024 * 1024

async function bundle(): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    // The bundle fails to build where anything of Node is imported.
    platform: 'browser',
    target: 'es2024',
    logLevel: 'silent'
  })
  return (result.outputFiles[0] as { text: string }).text
}

describe('core in a browser', () => {
  it('bundles without anything of Node', async () => {
    const code = await bundle()
    expect(code).not.toMatch(/require\("node:|from "node:/)
  })

  it('signs, talks, adds and reads like in Node', async (context) => {
    if (!existsSync(executablePath)) {
      const reason = `no Chromium at ${executablePath}: install it, or set CHROMIUM_BIN`
      if (process.env['CI'] === 'true') throw new Error(reason)
      context.skip(reason)
    }
    const code = await bundle()
    // WebCrypto needs a secure context, which loopback is and a file is not everywhere.
    const server = createServer((request, response) => {
      const script = request.url === '/page.js'
      response.setHeader('content-type', script ? 'text/javascript' : 'text/html')
      response.end(script ? code : '<!doctype html><script src="/page.js"></script>')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const browser = await chromium.launch({
      executablePath,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    })
    try {
      const page = await browser.newPage()
      const problems: string[] = []
      page.on('pageerror', (error) => problems.push(error.message))
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      const result = await page.evaluate(
        (bytes) => (globalThis as unknown as { p2plPage: (size: number) => Promise<PageResult> }).p2plPage(bytes),
        size
      )
      expect(problems).toEqual([])
      const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31) % 251)
      const { cid } = await createData(contextOf(new StoreBackend())).add(bytes)
      expect(result).toEqual({
        ids: [expect.stringMatching(/^12D3KooW/), expect.stringMatching(/^12D3KooW/)],
        sender: result.ids[0],
        payload: 'from a browser',
        cid: cid.toString(),
        smallCid: 'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq',
        equal: true,
        range: [...bytes.subarray(1_048_574, 1_048_578)],
        refused: 'INVALID_CONTENT'
      })
    } finally {
      await browser.close()
      server.close()
    }
  })
})
