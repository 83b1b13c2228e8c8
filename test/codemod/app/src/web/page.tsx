import type { ReactNode } from 'react'
import { redis } from '../client'

async function loadViews(slug: string): Promise<number> {
  const [[, views]] = (await redis.multi().incr(`views:${slug}`).expire(`views:${slug}`, 3600).exec()) as [
    [null, number],
    [null, number],
  ]
  return views
}

export async function Page({ slug }: { slug: string }): Promise<ReactNode> {
  const views = await loadViews(slug)
  const tags = await redis.smembers(`tags:${slug}`)
  return (
    <main>
      {views} views <ul>{tags.map((tag) => <li key={tag}>{tag}</li>)}</ul>
    </main>
  )
}

export async function rendersAPage() {
  await redis.sadd('tags:a', 'one')
  const page = (await Page({ slug: 'a' })) as { props: { children: unknown[] } }
  return page.props.children[0]
}
