import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { parseOptions } from '../src/demo/options.ts'
import { checkBackend } from '../src/node/backend.ts'

it.each([
  ['helia', 'helia'],
  ['split', 'split'],
  ['helia+bittorrent', 'helia+bittorrent'],
  ['@scope/adapter', '@scope/adapter'],
  ['./mine.js', resolve('mine.js')],
  ['helia,./mine.js+helia', `helia,${resolve('mine.js')}+helia`],
  ['../mine/index.js+helia', `${resolve('../mine/index.js')}+helia`]
])('--backend %s means the same in the folder of each peer', (given, taken) => {
  expect(parseOptions(['--backend', given]).backend).toBe(taken)
})

it.each(['', 'helia+', '+helia', 'a+b+c', 'helia,', ',helia+memory'])('--backend %j is wrong usage', (given) => {
  expect(() => parseOptions(['--backend', given])).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('messages+data') as string })
  )
})

it('--dir "" is wrong usage, not the current folder', () => {
  const wrong = expect.objectContaining({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('--dir') as string
  })
  expect(() => parseOptions(['--dir', ''])).toThrow(wrong)
})

it.each(['once', 'listen-port'])('--%s that npm kept for itself is wrong usage', (name) => {
  const message = `npm kept --${name} for itself. Put -- before the options: npm start -- --${name}`
  expect(() => parseOptions([], { [`npm_config_${name.replace('-', '_')}`]: 'true' })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message })
  )
})

it.each([
  ['heila', 'Did you mean "helia"?'],
  ['helia+memroy', 'Did you mean "memory"?'],
  ['memory,bitorrent', 'Did you mean "bittorrent"?'],
  ['./nope.js', `there is no adapter "nope.js" in ${resolve('.')}/`]
])('--backend %s is found before anything is made', async (backend, part) => {
  const message = expect.stringContaining(part) as string
  await expect(checkBackend(backend)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message })
})

it.each(['helia', 'memory', 'ipfs-rpc', 'helia+bittorrent', 'helia,bittorrent'])('--backend %s is right', checkBackend)
