import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vitepress'
import { writeApi } from './api.ts'

const home = join(import.meta.dirname, '..')

/** Builds the whole site, including the API pages, into this folder. */
export async function buildSite(outDir: string = join(home, 'dist')): Promise<void> {
  rmSync(outDir, { recursive: true, force: true })
  await writeApi()
  await build(home, { outDir })
}
