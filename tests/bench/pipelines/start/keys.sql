select '1';
