import { readFileSync } from 'node:fs'
import { commandsOf, Terminal } from '@p2pl/tooling-vitest/terminal'
import { expect, it } from 'vitest'

const folder = new URL('../', import.meta.url)
const readme = new URL('README.md', folder)

it.each([
  ['helia', 'node chat.mjs', ''],
  ['bittorrent', 'P2PL_BACKEND=bittorrent node chat.mjs', 'P2PL_BACKEND=bittorrent ']
])('chats in two terminals over %s, as the README says', async (_, word, setting) => {
  const [first = ''] = commandsOf(readme, word)
  const ann = new Terminal(first, folder.pathname)
  const [, second = ''] = await ann.prints(/^In another terminal: (node chat\.mjs Ben p2pl-secret-\S+ \S+)$/)
  const ben = new Terminal(setting + second, folder.pathname)
  await ann.prints(/^\* Ben is here$/)
  await ben.prints(/^\* Ann is here$/)
  ann.type('who has a drill?')
  await ben.prints(/^Ann: who has a drill\?$/)
  ben.type('I have')
  await ann.prints(/^Ben: I have$/)

  const cleo = new Terminal(setting + second.replace('Ben', 'Cleo'), folder.pathname)
  await cleo.prints(/: who has a drill\?$/)
  await cleo.prints(/: I have$/)
  ben.endInput()
  await ann.prints(/^\* Ben has left$/)
  expect(await ben.ended()).toBe(0)
})

it('has as many lines as the README says', () => {
  const lines = readFileSync(new URL('chat.mjs', folder), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line !== '')
  const said = / one file of (\d+) lines/.exec(readFileSync(readme, 'utf8'))?.[1]
  expect(lines.length).toBeLessThanOrEqual(Number(said))
})
