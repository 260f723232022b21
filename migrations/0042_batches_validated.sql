-- In a transaction of its own, so that readers do not wait for the scan.
alter table studio.generation_files validate constraint generation_file_category_fits_role;
