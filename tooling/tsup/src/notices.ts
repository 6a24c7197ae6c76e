import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Options } from 'tsup'
import { packageOfFile } from './packages.ts'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

const file = 'THIRD-PARTY-NOTICES.txt'
const licence = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i

/** Writes which packages of others are in the bundle, with their licences, beside it: their licences ask for that. */
export function notices(): Plugin {
  return {
    name: 'notices',
    setup(build) {
      build.initialOptions.metafile = true
      build.onEnd(async ({ metafile }) => {
        if (metafile === undefined) return
        const roots = new Map<string, string>()
        for (const output of Object.values(metafile.outputs))
          for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
            const found = bytesInOutput > 0 ? packageOfFile(path) : undefined
            if (found !== undefined) roots.set(found.root, found.name)
          }
        const texts = await Promise.all([...roots.keys()].map(describe))
        const outdir = build.initialOptions.outdir ?? 'dist'
        // tsup writes its outputs itself, after this.
        await mkdir(outdir, { recursive: true })
        await writeFile(join(outdir, file), `${texts.toSorted().join('\n\n')}\n`)
      })
    }
  }
}

async function describe(root: string): Promise<string> {
  const folder = resolve(root)
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    name: string
    version: string
    license?: string
  }
  const names = (await readdir(folder)).filter((entry) => licence.test(entry)).toSorted()
  const texts = await Promise.all(names.map((entry) => readFile(join(folder, entry), 'utf8')))
  return [
    `${'='.repeat(80)}\n${name} ${version} (${license ?? 'see below'})`,
    ...texts.map((text) => text.trim())
  ].join('\n\n')
}
