# syntax=docker/dockerfile:1

# One image for all programs of the service. Without a command it is an API; as a worker it runs `node dist/worker.js`.
# Debian and not Alpine: the Temporal SDK's native part is built for glibc.
ARG NODE=node:24.21.0-bookworm-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/bundle-workflows.js scripts/
COPY web web
COPY src src
RUN npm run build

FROM ${NODE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The SDK brings its native part for five platforms: that of this image stays.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +

FROM ${NODE}
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
# The API serves them as pages.
COPY docs/*.md docs/
# Nothing in the image is theirs to write.
USER node
EXPOSE 3000 9464
# Of an API, which is restarted where it does not answer. docker-compose.temporal.yml has the worker's.
HEALTHCHECK --interval=10s --timeout=4s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/api/server.js"]
