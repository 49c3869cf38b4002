/** Style sheets, which Vite takes out of the scripts. */
declare module '*.css';
