/**
 * Kubernetes objects in blocks of YAML: references between objects are followed here. test/package/kubernetes.test.ts has the
 * compiler check them against the types of the API, which say what fields there are. No cluster has seen them.
 */
import { parseAllDocuments } from 'yaml'

interface Labels {
  readonly [label: string]: string
}
interface Container {
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[]
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[]
  readonly [probe: `${string}Probe`]: { readonly httpGet?: { readonly port: string | number } } | undefined
}
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec?: {
    readonly selector?: Labels | { readonly matchLabels: Labels }
    readonly ports?: readonly { readonly targetPort: string | number }[]
    readonly template?: {
      readonly metadata: { readonly labels: Labels }
      readonly spec: { readonly serviceAccountName?: string; readonly containers: readonly Container[] }
    }
  }
}

/** @returns none for YAML that is something else */
export function objectsIn(code: string): readonly KubernetesObject[] {
  const documents = parseAllDocuments(code).map((document) => document.toJS() as unknown)
  return documents.filter((one): one is KubernetesObject => isObject(one) && 'apiVersion' in one && 'kind' in one)
}

/** A module in which each object is a literal of its type: the compiler then refuses fields that the type does not have. */
export function typedObjects(objects: readonly KubernetesObject[]): string {
  const lines = objects.map((object, index) => {
    const group = object.apiVersion === 'v1' ? 'core/v1' : object.apiVersion
    return `export const object${index}: import('kubernetes-types/${group}').${object.kind} = ${JSON.stringify(object, null, 2)}\n`
  })
  return lines.join('\n')
}

/** What an object names and no object of the block is, or `null`. Secrets are made by commands, not by manifests. */
export function referenceProblem(objects: readonly KubernetesObject[]): string | null {
  const names = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`))
  const templates = objects.flatMap(({ spec }) => spec?.template ?? [])
  const containers = templates.flatMap(({ spec }) => spec.containers)
  const ports = new Set(
    containers.flatMap((one) => (one.ports ?? []).flatMap((port) => [port.name, port.containerPort])),
  )
  for (const { kind, metadata, spec } of objects) {
    const where = `${kind} ${metadata.name}`
    const selector = selectorOf(spec?.selector)
    if (selector !== null && !templates.some(({ metadata: { labels } }) => isPartOf(selector, labels))) {
      return `${where} selects no pod`
    }
    const wrongPort = spec?.ports?.find(({ targetPort }) => !ports.has(targetPort))
    if (wrongPort) return `${where}: no container has the port ${wrongPort.targetPort}`
  }
  for (const { serviceAccountName } of templates.map(({ spec }) => spec)) {
    if (serviceAccountName !== undefined && !names.has(`ServiceAccount ${serviceAccountName}`))
      return serviceAccountName
  }
  for (const container of containers) {
    const lacking = container.envFrom?.find(({ configMapRef: map }) => map && !names.has(`ConfigMap ${map.name}`))
    if (lacking) return `no ConfigMap ${lacking.configMapRef?.name ?? ''}`
    for (const [name, probe] of Object.entries(container)) {
      const port = /Probe$/.test(name) ? (probe as Container[`${string}Probe`])?.httpGet?.port : undefined
      if (port !== undefined && !ports.has(port)) return `${name}: no container has the port ${port}`
    }
  }
  return null
}

function selectorOf(selector: Labels | { readonly matchLabels: Labels } | undefined): Labels | null {
  if (selector === undefined) return null
  return 'matchLabels' in selector ? (selector.matchLabels as Labels) : selector
}

function isPartOf(wanted: Labels, labels: Labels): boolean {
  return Object.entries(wanted).every(([label, value]) => labels[label] === value)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
