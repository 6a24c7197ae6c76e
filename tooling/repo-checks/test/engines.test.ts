import { describe, expect, it } from 'vitest'
import { withoutComments } from '../src/source.ts'
import { filesBelow, read } from '../src/workspace.ts'

const engines = /kubo|helia|web-?torrent|gossip-?sub|bitswap/i

describe('engines', () => {
  it.each(['core', 'sync', 'layers', 'unixfs', 'conformance'])('are not named in the code of %s', (name) => {
    const wrong = filesBelow(`packages/${name}/src`, '.ts').flatMap((path) =>
      withoutComments(read(path))
        .split('\n')
        .filter((line) => engines.test(line))
        .map((line) => `${path}: ${line.trim()}`)
    )
    expect(wrong).toEqual([])
  })

  it('would be noticed', () => {
    expect(engines.test("const name = 'Kubo'")).toBe(true)
    expect(engines.test(withoutComments('const a = 1 // as Kubo does'))).toBe(false)
  })
})
