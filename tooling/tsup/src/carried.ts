import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Options } from 'tsup'
import { notices } from './notices.ts'
import { packageOfFile } from './packages.ts'
import { sbom, sbomFile } from './sbom.ts'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/** A third-party package that is partly in a bundle. */
export interface Carried {
  readonly folder: string
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly author?: string | { readonly name: string }
}

/** Writes next to the bundle which third-party packages it carries: their licences, which require that, and an SBOM. */
export function carried(): Plugin {
  return {
    name: 'carried',
    setup(build) {
      build.initialOptions.metafile = true
      build.onEnd(async ({ metafile }) => {
        if (metafile === undefined) return
        const roots = new Set<string>()
        for (const output of Object.values(metafile.outputs))
          for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
            const found = bytesInOutput > 0 ? packageOfFile(path) : undefined
            if (found !== undefined) roots.add(found.root)
          }
        if (roots.size === 0) return
        const all = await Promise.all([...roots].map(describe))
        const outdir = build.initialOptions.outdir ?? 'dist'
        // tsup writes its own outputs after this.
        await mkdir(outdir, { recursive: true })
        await writeFile(join(outdir, 'THIRD-PARTY-NOTICES.txt'), await notices(all))
        await writeFile(join(outdir, sbomFile), await sbom(all))
      })
    }
  }
}

async function describe(root: string): Promise<Carried> {
  const folder = resolve(root)
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Carried & {
    licenses?: readonly { readonly type: string }[]
  }
  // Old packages use the plural.
  const { name, version, licenses, license = licenses?.[0]?.type ?? '', author } = manifest
  return { folder, name, version, license, ...(author !== undefined && { author }) }
}
