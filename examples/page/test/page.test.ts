import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { describeInChromium, openBrowser } from '@p2pl/tooling-vitest/browser'
import { commandsOf, Terminal } from '@p2pl/tooling-vitest/terminal'
import { build, defaultClientConditions } from 'vite'
import { beforeAll, expect, it } from 'vitest'

const own = fileURLToPath(new URL('..', import.meta.url))
const readme = new URL('../README.md', import.meta.url)
const place = temporaryFolder()

describeInChromium('a page and a Node peer, as the README says', () => {
  beforeAll(async () => {
    for (const name of ['index.html', 'page.mjs', 'node.mjs']) cpSync(join(own, name), join(place, name))
    symlinkSync(join(own, 'node_modules'), join(place, 'node_modules'))
    expect(commandsOf(readme, 'npx')).toEqual(['npx vite build'])
    // The same call, with the packages of the workspace taken from their sources.
    await build({
      root: place,
      logLevel: 'warn',
      resolve: { conditions: ['@p2pl/source', ...defaultClientConditions] }
    })
  }, 300_000)

  it('are in one room, and two pages see each other', async () => {
    const [command = ''] = commandsOf(readme, 'node')
    const node = new Terminal(command, place)
    const [, link = ''] = await node.prints(/^Open (http:\S+)$/)
    await using browser = await openBrowser()
    const [one, two] = [await browser.newPage(), await browser.newPage()]
    await Promise.all([one, two].map(async (page) => await page.goto(link)))
    for (const page of [one, two]) {
      await until(
        'it sees two others',
        async () =>
          /Node/.test((await page.textContent('#names')) ?? '') && /Page/.test((await page.textContent('#names')) ?? '')
      )
    }
    await node.prints(/^\* Page .{4} is here$/)
    node.type('hello, pages')
    await one.fill('#text', 'hello, all')
    await one.click('button')
    await node.prints(/^Page .{4}: hello, all$/)
    for (const page of [one, two]) {
      await page.waitForSelector('li:has-text("Node: hello, pages")')
    }
    await two.waitForSelector('li:has-text("hello, all")')
    node.endInput()
    expect(await node.ended()).toBe(0)
  })
})
