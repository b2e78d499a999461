import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Certificates, Site, Tenant } from './contender.ts'
import type { Link } from './link.ts'
import { pause, type Running, start } from './processes.ts'

export interface SiteOptions {
  readonly folder: string
  readonly target: number
  readonly certificates: Certificates
  readonly tenant: Tenant
  readonly measuresMemory: boolean
  readonly link: Link | undefined
  readonly loadTool: string
}

/** Until connections that a tunnel makes in advance have been made. */
const settleMs = 500

/** Sets a site up, lets the work use it, and takes everything down again whatever happens. */
export async function withSite<T>(options: SiteOptions, work: (site: Site, settle: () => Promise<void>) => Promise<T>): Promise<T> {
  const { target, certificates, tenant, measuresMemory, link, loadTool } = options
  const folder = mkdtempSync(join(options.folder, 'site-'))
  const started: Running[] = []
  const begin: Site['start'] = (side, command, args, env = {}) => {
    const running = start({ side, command, args, env })
    started.push(running)
    return running
  }
  const site: Site = {
    target,
    folder,
    certificates,
    tenant,
    measuresMemory,
    start: begin,
    async through(tunnelPort) {
      if (link === undefined) return tunnelPort
      const words = [tunnelPort, link.oneWayMs, link.kilobytesPerSecond, link.queueMs].map(String)
      return Number((await begin('cloud', loadTool, ['link', ...words]).answer('port'))['port'])
    },
  }
  try {
    return await work(site, () => pause(settleMs))
  } finally {
    await Promise.all(started.map((running) => running.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
}
