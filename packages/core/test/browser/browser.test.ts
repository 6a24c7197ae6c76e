import { bundle, describeInChromium, openSite } from '@p2pl/tooling-vitest/browser'
import { describe, expect, it } from 'vitest'
import { createData } from '../../src/data/data.ts'
import { contextOf, storeBackend } from '../data/store-backend.ts'
import type { PageResult } from './page.ts'

const size = 3 * 1024 * 1024
const entry = new URL('page.ts', import.meta.url)

describe('core for browsers', () => {
  it('bundles without anything of Node', async () => {
    const code = [...(await bundle(entry)).values()].join('\n')
    expect(code).not.toMatch(/require\("node:|from "node:/)
  })
})

describeInChromium('core in a browser', () => {
  it('signs, talks, adds and reads like in Node', async () => {
    const site = await openSite(await bundle(entry))
    try {
      const page = await site.open()
      const result = await page.call<PageResult>('run', size)
      expect(page.problems).toEqual([])
      const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31) % 251)
      const { cid } = await createData(contextOf(await storeBackend())).add(bytes)
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
      await site.close()
    }
  })
})
