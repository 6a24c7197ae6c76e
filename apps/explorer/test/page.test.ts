import { type Api, type Demo, type DemoPeer, type RemoteLedger, startFront } from '@p2pl/ledger'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { describeInChromium, openBrowser } from '@p2pl/tooling-vitest/browser'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { ensureBuilt, type Explorer, type ExplorerOptions, openExplorer } from './explorer.ts'
import { type Fleet, startFleet } from './fleet.ts'

/** A browser has to start on a machine that is busy with other tests. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })
const folder = temporaryFolder('p2pl-explorer-')
const opened: Explorer[] = []
const views = ['Network', 'Entries', 'Accounts', 'Files', 'Activity', 'Write']
let fleet: Fleet
let front: Api
let browser: Browser

async function open(options: Partial<ExplorerOptions> = {}): Promise<Explorer> {
  const explorer = await openExplorer(browser, { url: front.url, ...options })
  opened.push(explorer)
  return explorer
}

async function unlock({ page }: Explorer): Promise<void> {
  await page.getByRole('button', { name: 'Enter token' }).click()
  await page.getByRole('textbox', { name: 'Token' }).fill(front.token)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('button', { name: 'Token set' }).waitFor()
}

/**
 * Nodes report events only from when they are listened to. So this waits until a message is shown at its publisher and
 * at both others.
 */
async function tracesOfAll({ page, show }: Explorer): Promise<void> {
  await show('Network')
  const messages = page.getByRole('region', { name: 'Messages' })
  const row = messages
    .getByRole('row')
    .filter({ hasText: 'published' })
    .filter({ hasText: /\d m?s.*\d m?s/ })
  await row.first().waitFor()
}

async function pay(from: string, to: string, amount: number, memo = 'rent'): Promise<string> {
  const { entry } = await fleet.ledger(from).transfer({ to: fleet.accounts[to] ?? '', amount: BigInt(amount), memo })
  return entry.cid
}

describeInChromium('the page', () => {
  beforeAll(async () => {
    await ensureBuilt()
    fleet = await startFleet(folder, ['alder', 'birch', 'cedar'])
    front = await startFront({ demo: fleet })
    browser = await openBrowser()
  })

  afterEach(async () => {
    for (const explorer of opened.splice(0)) {
      expect(explorer.problems).toEqual([])
      await explorer.close()
    }
  })

  afterAll(async () => {
    await browser.close()
    await front.close()
    await fleet.stop()
  })

  it('shows a transfer that another peer made as soon as it is told, without asking', async () => {
    const explorer = await open()
    const { page, show } = explorer
    await show('Entries')
    await page.getByLabel('As seen by').selectOption('alder')
    await page.getByText('0 entries').waitFor()
    await tracesOfAll(explorer)
    await show('Entries')
    // Requests from now on get no answer.
    await page.route('**/entries?*', () => undefined)
    const began = performance.now()
    await pay('birch', 'cedar', 4_711, 'a new roof')
    await page.getByRole('cell', { name: '4,711 to cedar, “a new roof”' }).waitFor()
    const ms = performance.now() - began
    console.log(`the transfer of another peer was on the page after ${Math.round(ms)} ms`)
    // An entry is confirmed when another witness builds on it.
    await pay('alder', 'birch', 1)
    await page.getByText('confirmed by').first().waitFor()
  })

  it('shows a transfer that was made before the node was listened to', async () => {
    const heard = Promise.withResolvers<void>()
    const ledgers = new Map<RemoteLedger, DemoPeer['ledger']>()
    const late = (ledger: RemoteLedger): DemoPeer['ledger'] => {
      const events: RemoteLedger['events'] = async function* (options) {
        await heard.promise
        yield* ledger.events(options)
      }
      const bound = (key: string | symbol): unknown => {
        const value: unknown = Reflect.get(ledger, key)
        return typeof value === 'function' ? (value.bind(ledger) as unknown) : value
      }
      return new Proxy(ledger, { get: (_, key) => (key === 'events' ? events : bound(key)) })
    }
    const demo: Demo = {
      ...fleet,
      peers: () =>
        fleet.peers().map((peer) => {
          const ledger = fleet.ledger(peer.name)
          ledgers.set(ledger, ledgers.get(ledger) ?? late(ledger))
          return { ...peer, ledger: ledgers.get(ledger) }
        })
    }
    const deaf = await startFront({ demo })
    try {
      const { page, show } = await open({ url: deaf.url })
      await show('Entries')
      await page.getByLabel('As seen by').selectOption('cedar')
      const { entries } = await fleet.ledger('cedar').status()
      await page.getByText(`${entries} entries`).first().waitFor()
      await pay('cedar', 'alder', 31_415)
      heard.resolve()
      await page.getByRole('cell', { name: /31,415 to alder/ }).waitFor()
    } finally {
      heard.resolve()
      await deaf.close()
    }
  })

  it('shows who is connected, whether all agree, and each message with its milliseconds', async () => {
    const explorer = await open()
    const { page } = explorer
    await page.getByText('3 nodes agree').waitFor()
    const picture = page.getByRole('img', { name: /Connected: alder with birch, alder with cedar, birch with cedar/ })
    await picture.waitFor()
    await page.getByText('Details of birch').click()
    await page.locator('details[open]').getByText('/ip4/127.0.0.1/tcp/').first().waitFor()
    await pay('cedar', 'alder', 1)
    await tracesOfAll(explorer)
  })

  it('shows content on its way: who has it, who wants it, when it arrived', async () => {
    const explorer = await open()
    const { page, show } = explorer
    await tracesOfAll(explorer)
    await unlock(explorer)
    await show('Write')
    await page.getByLabel('Write as').selectOption('birch')
    const [file] = [{ name: 'lease.txt', mimeType: 'text/plain', buffer: Buffer.from('the lease of a drill') }]
    await page.getByLabel('Drop files here, or choose them').setInputFiles([file])
    await page.getByText('1 file recorded').waitFor()
    await show('Network')
    const content = page.getByRole('region', { name: 'Content' })
    const row = content
      .getByRole('row')
      .filter({ hasText: 'has it' })
      .filter({ hasText: /\d B [\d.]+ m?s.*\d B [\d.]+ m?s/ })
    await row
      .first()
      .waitFor()
      .catch(async (cause: unknown) => {
        throw new Error(`the table of content: ${await content.innerText()}`, { cause })
      })
    await show('Files')
    const link = page.getByRole('link', { name: 'lease.txt' })
    const answer = await fetch(new URL((await link.getAttribute('href')) ?? '', front.url))
    expect(await answer.text()).toBe('the lease of a drill')
  })

  it('takes a file that is dropped', async () => {
    const explorer = await open()
    const { page, show } = explorer
    await unlock(explorer)
    await show('Write')
    const dropped = await page.evaluateHandle(() => {
      const data = new DataTransfer()
      data.items.add(new File(['a dropped note'], 'dropped.txt', { type: 'text/plain' }))
      return data
    })
    await page.locator('.drop').dispatchEvent('drop', { dataTransfer: dropped })
    await page.getByText('1 file recorded').waitFor()
    await show('Files')
    await page.getByRole('link', { name: 'dropped.txt' }).waitFor()
  })

  it('sends a transfer, and says why one is refused', async () => {
    const explorer = await open()
    const { page, show } = explorer
    await show('Write')
    await page.getByRole('heading', { name: 'Writing needs the token' }).waitFor()
    await unlock(explorer)
    await page.getByLabel('To', { exact: true }).fill(fleet.accounts['cedar'] ?? '')
    await page.getByLabel('Amount').fill('12')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText('written as entry').waitFor()
    await page.getByLabel('To', { exact: true }).fill('nobody')
    await page.getByLabel('Amount').fill('12')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('alert').filter({ hasText: 'shows an account' }).waitFor()
    // The browser's console counts the refusal itself as an error.
    explorer.problems.splice(0)
  })

  it('kills a peer on demand, and follows it when it comes back', async () => {
    const explorer = await open()
    const { page, show } = explorer
    await page.getByText('3 nodes agree').waitFor()
    await unlock(explorer)
    await page.getByRole('button', { name: 'Kill cedar' }).click()
    await page.getByText('2 nodes agree, 1 is away').waitFor()
    await page.getByText('killed; it is started again').waitFor()
    const missed = await pay('alder', 'birch', 77)
    await fleet.start('cedar')
    await page.getByText('3 nodes agree').waitFor()
    // The page may have shown what the others were before the payment.
    await until('cedar has what it missed', () =>
      fleet
        .ledger('cedar')
        .entry(missed)
        .catch(() => undefined)
    )
    await show('Activity')
    await page.getByRole('log').getByText('It was killed from this page').waitFor()
  })

  it('stays when the node that it follows is killed', async () => {
    const { page, show } = await open()
    await show('Entries')
    await page.getByLabel('As seen by').selectOption('birch')
    await fleet.kill('birch')
    await pay('alder', 'cedar', 8_888)
    await page.getByRole('cell', { name: /8,888 to cedar/ }).waitFor()
    await fleet.start('birch')
    await page.getByText('3 nodes agree').waitFor()
  })

  it('survives a reload', async () => {
    const explorer = await open()
    const { page, show } = explorer
    await unlock(explorer)
    await show('Entries')
    const cid = await pay('birch', 'alder', 5_050)
    const cell = page.getByRole('button', { name: cid.slice(-8) })
    await cell.waitFor()
    await page.reload()
    await cell.waitFor()
    // The token stays in the tab.
    await page.getByRole('button', { name: 'Token set' }).waitFor()
  })

  it('takes its token from what stands after #, which no server sees', async () => {
    const { page } = await open()
    await page.goto(`${front.url}/#token=${front.token}`)
    await page.getByRole('button', { name: 'Token set' }).waitFor()
    expect(page.url()).not.toContain(front.token)
  })

  it('takes back a token of characters that no server prints', async () => {
    const { page, show } = await open()
    await page.getByRole('button', { name: 'Enter token' }).click()
    await page.getByRole('textbox', { name: 'Token' }).fill(`${front.token.slice(0, 8)}…`)
    await page.getByRole('button', { name: 'Save' }).click()
    await show('Write')
    await page.setInputFiles('input[type=file]', { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('a') })
    await page.getByRole('heading', { name: 'Writing needs the token' }).waitFor()
    await page.getByRole('button', { name: 'Enter token' }).waitFor()
  })

  it('opens a document of a stranger without its scripts', async () => {
    const { page, show } = await open()
    const script = "<script>document.title = 'owned'</script>"
    for (const [name, mediaType, text] of [
      ['evil.html', 'text/html', `<title>quiet</title>${script}<img src=x onerror="document.title = 'owned'">`],
      ['evil.svg', 'image/svg+xml', `<svg xmlns="http://www.w3.org/2000/svg"><title>quiet</title>${script}</svg>`]
    ] as const) {
      await fleet.ledger('alder').record({ name, mediaType, content: [Buffer.from(text)] })
      await show('Files')
      const [document] = await Promise.all([
        page.waitForEvent('popup'),
        page.getByRole('link', { name, exact: true }).click()
      ])
      await document.waitForLoadState()
      expect(await document.title()).toBe('quiet')
    }
  })

  it('goes slowly, stands still, and goes back', async () => {
    const { page } = await open()
    const messages = page.getByRole('region', { name: 'Messages' }).getByRole('row')
    // A heading, and all shown messages.
    await messages.nth(8).waitFor()
    await page.getByRole('button', { name: '1/100' }).click()
    const live = page.getByRole('button', { name: /Live|behind/ })
    await expect.poll(async () => await live.textContent()).toMatch(/behind/)
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByLabel('Time').fill('0')
    // The beginning of what the page has recorded.
    await expect.poll(async () => await messages.count()).toBeLessThan(9)
    await live.click()
    await page.getByRole('button', { name: 'Live' }).waitFor()
    await messages.nth(8).waitFor()
    await page
      .getByRole('button', { name: /show it slowly/ })
      .first()
      .click()
    await expect.poll(async () => await live.textContent()).toMatch(/behind/)
  })

  it('is a peer itself, with the root of the nodes', async () => {
    const { page, problems } = await open()
    await page.getByText('3 nodes agree').waitFor()
    await page.getByRole('button', { name: 'Join' }).click()
    await page.getByText('4 nodes agree').waitFor()
    await page.getByText('verified here').waitFor()
    await page.getByRole('img', { name: /alder with this page, birch with cedar, birch with this page/ }).waitFor()
    await pay('cedar', 'birch', 3)
    const entries = (await fleet.ledger('cedar').status()).entries
    await page.getByText(`${entries} entries verified here`).waitFor()
    expect(problems).toEqual([])
  })

  it('is also that of one node, at its own address', async () => {
    const { page, show } = await open({ url: fleet.url('birch') })
    await page.getByText('1 node is up').waitFor()
    await page.getByRole('region', { name: 'Nodes' }).getByText('this node', { exact: true }).waitFor()
    await show('Entries')
    await pay('alder', 'birch', 6_006)
    await page.getByRole('cell', { name: /6,006 to / }).waitFor()
  })

  it('is used by keyboard', async () => {
    const { page } = await open()
    await page.keyboard.press('Tab')
    await page.getByRole('link', { name: 'Skip to content' }).press('Enter')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content')
    await page.getByRole('link', { name: 'Entries' }).press('Enter')
    const graph = page.getByRole('group', { name: /Graph of entries/ })
    await graph.press('0')
    const before = await page.locator('canvas').screenshot()
    await graph.press('+')
    await expect.poll(async () => (await page.locator('canvas').screenshot()).equals(before)).toBe(false)
  })

  it.each([
    { dark: false, width: 1_100 },
    { dark: true, width: 1_100 },
    { dark: false, width: 360 }
  ])('breaks no rule of accessibility: %o', async (options) => {
    const explorer = await open({ ...options, still: true })
    const { page, show, violations } = explorer
    await page.getByText('3 nodes agree').waitFor()
    await page.getByRole('button', { name: 'Enter token' }).click()
    expect(await violations(), 'the dialog').toEqual([])
    await page.getByRole('button', { name: 'Cancel' }).click()
    await unlock(explorer)
    for (const view of views) {
      await show(view)
      expect(await violations(), view).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth), view).toBeLessThanOrEqual(options.width)
    }
  })
})
