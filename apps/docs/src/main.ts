// Builds the site: `node src/main.ts [folder]`; without a folder into `dist`.
import { buildSite } from './site.ts'

await buildSite(process.argv[2])
